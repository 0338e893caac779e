# SPDX-License-Identifier: Apache-2.0
# check_shards.pl SCALE.md RECORDING.yml: whether what shards send upwards is enough to record the rest there, and nothing is
# recorded there that they send as well.
use strict;
use warnings;

sub content { open my $file, '<', $_[0] or die "$_[0]: $!"; local $/; <$file> }
my ($scale, $recording) = map { content($_) } @ARGV;
my %sent = (
  federation => join('|', $scale =~ /^ +- '\{__name__=~"(.+)"\}'$/mg),
  'remote write' => join('|', $scale =~ /^remote_write:.*?\n +regex: (\S+)$/ms),
);
my $faults = 0;
for my $way (sort keys %sent) {
  $sent{$way} or die "no list of names for $way\n";
  my ($above, $below) = (0, 0);
  my %known;  # above: sent or computed
  for my $rule (split /^ +- (?=record: )/m, $recording =~ s/^ *#.*\n//mgr) {
    my ($name, $expr) = $rule =~ /^record: (\S+)\n +expr: (.*)/s or next;
    my @missing = grep { !/^(?:$sent{$way})$/ && !$known{$_} } $expr =~ /\b((?:\w+:)?tcpdiag_[\w:]+)/g;
    my $sent = $name =~ /^(?:$sent{$way})$/;
    $known{$name} = 1 if $sent || !@missing;
    $sent ? ++$below : ++$above;
    next if $sent xor !@missing;
    print "FAILED: $way: $name is ", $sent ? 'sent, and computed above as well' : "not sent, and lacks @missing", "\n";
    ++$faults;
  }
  $above >= 7 && $below >= 7 or print("FAILED: $way: only $above and $below rules\n"), ++$faults;
}
exit($faults ? 1 : 0);
