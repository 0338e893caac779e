# SPDX-License-Identifier: Apache-2.0
# check_names.pl CATALOGUE.json RULES...: whether rules name only metrics that there are, with labels that these have, and
# texts only labels that there are.
use strict;
use warnings;

my ($catalogue, @rules) = @ARGV;
my @target = qw(job instance);                         # Prometheus adds them
my %labels = (up => [], ALERTS => [qw(alertname alertstate severity finding)]);  # and makes these
my $faults = 0;
sub fault { print "FAILED: @_\n"; ++$faults }

open my $metrics, '-|', 'jq', '-r', '.metrics[] | [.name, .type] + .labels | join(" ")', $catalogue or die "jq: $!";
while (<$metrics>) {
  my ($metric, $type, @names) = split;
  if ($type eq 'histogram') {
    $labels{"${metric}_bucket"} = [@names, 'le'];
    $labels{"${metric}_$_"} = \@names for qw(count sum);
  } else {
    $labels{$metric} = \@names;
  }
}
die "$catalogue: only ${\ scalar keys %labels} metrics\n" if keys %labels < 100;
my %any = map { $_ => 1 } @target, 'severity', map { @$_ } values %labels;

sub check_labels {
  my ($where, $known, @names) = @_;
  exists $known->{$_} or fault("$where: no label $_") for @names;
}

my ($texts, $used) = (0, 0);
for my $file (@rules) {
  open my $rules, '<', $file or die "$file: $!";
  my $text = join '', <$rules>;
  $labels{$_} = [qw(netns port finding severity process)] for $text =~ /^ +- record: (\S+)$/mg;  # used further down
  for my $rule (split /^ +- (?=alert: |record: )/m, $text) {
    my ($name) = $rule =~ /^(?:alert|record): (\S+)/ or next;
    my ($expr) = $rule =~ /^ +expr: (.*?)(?=^ +(?:for|keep_firing_for|labels|annotations):|^ *#|^$|\z)/ms;
    check_labels("$name: text", \%any, $rule =~ /\$labels\.(\w+)/g);
    # what texts ask Prometheus for, with the place of a value as %q
    my ($words) = $rule =~ /^ +annotations:(.*)/ms;
    while (($words // '') =~ /query \(printf "(\w+)\{([^}]*)\}"/g) {
      my ($metric, $selector) = ($1, $2);
      if (!exists $labels{$metric}) { fault("$name: text: no metric $metric"); next }
      my %known = map { $_ => 1 } @{$labels{$metric}}, @target;
      check_labels("$name: text: $metric", \%known, $selector =~ /(\w+)=/g);
    }
    check_labels("$name: text", \%any, ($words // '') =~ /\.Labels\.(\w+)/g);
    ++$texts;
    $expr =~ s/^\s*\|//;
    my %grouped = map { $_ => 1 } $expr =~ /"(\w+)", "\$1"/g;
    check_labels("$name: $1 ($2)", \%any, split /[\s,]+/, $2)
      while $expr =~ /\b(by|without|on|ignoring|group_left)\s*\(([\w\s,]*)\)/g;
    $expr =~ s/\b(by|without|on|ignoring|group_left)\s*\([\w\s,]*\)//g;
    while ($expr =~ /([a-zA-Z_:][\w:]*)(\s*\()?(\{[^}]*\})?/g) {
      my ($word, $function, $selector) = ($1, $2, $3);
      if ($function || $word =~ /^(and|or|unless|group_left|offset|[smhd]|bool)$/) { next }
      my $before = substr $expr, 0, $-[1];
      next if ($before =~ tr/"//) % 2 || $before =~ /[\d\$]$/;  # within a text, or the unit of a duration
      if (!exists $labels{$word}) { fault("$name: no metric $word"); next }
      ++$used;
      my %known = map { $_ => 1 } @{$labels{$word}}, @target;
      check_labels("$name: $word", \%known, ($selector // '') =~ /(\w+)\s*(?:=~|!~|!=|=)/g);
    }
  }
}
$texts >= 80 && $used >= 120 or fault("only $texts rules with $used selectors were seen");
print "$texts rules, $used selectors\n";
exit($faults ? 1 : 0);
