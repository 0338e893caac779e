# SPDX-License-Identifier: Apache-2.0
# stuck_server.pl PORT BACKLOG CLIENTS: listens on 127.0.0.1:PORT and accepts nothing, while that many clients connect; from
# SIGUSR1 on it accepts all of them.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $backlog, $clients) = @ARGV;
my $accepts = 0;
$SIG{USR1} = sub { $accepts = 1 };
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => $backlog, ReuseAddr => 1)
  or die "listen: $!\n";
my @waiting = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Blocking => 0) } 1 .. $clients;
my @accepted;
until ($accepts) { select undef, undef, undef, 0.1 }
while (my $client = $server->accept) { push @accepted, $client }
