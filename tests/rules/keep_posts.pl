# SPDX-License-Identifier: Apache-2.0
# keep_posts.pl PORT: an HTTP server on 127.0.0.1:PORT that prints the path and the body of each request, a line for each.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1)
  or die "listen: $!\n";
while (my $client = $server->accept) {
  my $request = <$client> // next;
  my ($path) = $request =~ /^\w+ (\S+)/ or next;
  my $length = 0;
  while (my $header = <$client>) {
    last if $header =~ /^\r?\n$/;
    $length = $1 if $header =~ /^content-length: (\d+)/i;
  }
  read $client, my ($body), $length;
  print $client "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  close $client;
  $body =~ tr/\r\n/  /;
  print "$path $body\n";
}
