#!/usr/bin/env perl
# A kernel of meta for Perl 5.30 or later, of core modules only: it speaks the protocol of docs/protocol.md on descriptors 3
# and 4. Sections: hello, decode, encode, handles, streams, evaluate, operations, calling up, loop.

# The user's source runs here, above every `my` of this file: a string eval sees the lexicals around it.
package main;
sub Meta::Kernel::run_source { @_ = (); eval $Meta::Kernel::source }

package Meta::Kernel;
use strict;
use warnings;
no warnings qw(recursion once);
use B ();
use Fcntl qw(F_DUPFD F_GETFD F_SETFD FD_CLOEXEC);
use MIME::Base64 ();
use POSIX ();
use Scalar::Util qw(blessed reftype refaddr weaken);
use Time::HiRes ();
use JSON::PP::Boolean ();

our $source = '';
my $PID = $$;
my ($requests, $upward);                 # the two sockets, moved above 9
my ($session, $generation, $width) = ('perl', 1, 80);
our ($running, $waiting) = (0, 0);       # in the user's code; in a wait for meta, which interrupts by itself
my $INTERRUPT = bless {}, 'Meta::Interrupt';
use constant {HEADER_LIMIT => 1 << 20, BODY_LIMIT => (1 << 31) - 1, DEPTH_LIMIT => 1000, REPR_LIMIT => 200};

my %operation = (
    eval => \&op_eval, call => \&op_call, get => \&op_get, set => \&op_set, import => \&op_import,
    complete => \&op_complete, status => \&op_status, items => \&op_items, inspect => \&op_inspect, equal => \&op_equal,
);

# ---- hello ----------------------------------------------------------------------------------------------------------

sub hello {
    my $version = sprintf '%vd', $^V;
    my $operations = join ',', map { qq("$_") } sort(keys %operation), qw(release hold copy);
    my $program = $^X;
    send_frame($requests, qq({"op":"hello","protocol":"1.0","language":"perl","version":"$version","operations":[$operations],)
        . qq("buffers":"none","plain":false,"executable":) . text_json($program) . '}', '');
}

# Both sockets leave the numbers that users know, and no child gets them.
sub take_sockets {
    my @moved;
    for my $number (3, 4) {
        open my $given, '+<&=', $number or die "descriptor $number is not there: run by meta, not by hand\n";
        my $high = fcntl($given, F_DUPFD, 10) // die "descriptor $number: $!\n";
        open my $socket, '+<&=', $high or die "descriptor $number: $!\n";
        fcntl $socket, F_SETFD, fcntl($socket, F_GETFD, 0) | FD_CLOEXEC;
        push @moved, $socket;
        close $given;
    }
    ($requests, $upward) = @moved;
}

# ---- decode ---------------------------------------------------------------------------------------------------------
# JSON as bytes in $json, read from pos($json) on. Exact: what Perl's numbers cannot hold becomes a Math::BigInt, objects
# keep the order of their keys, a repeated key or a lone surrogate is an error.

our $json;
our $allowed;                            # the Refs that the header lists, by "owner generation number"
my %escaped = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", '"' => '"', '\\' => '\\', '/' => '/');

# The value of a body, undef for an empty one. Dies with a failure.
sub decode {
    my ($bytes, $refs) = @_;
    local $json = $bytes;
    local $allowed = $refs ? {map { join(' ', @$_[0 .. 2]) => 1 } @$refs} : undef;
    pos($json) = 0;
    return undef unless length $json;
    my $value = parse(0);
    $json =~ /\G[ \t\r\n]+/gc;
    unreadable('more after the value') if pos($json) < length $json;
    return $value;
}

sub unreadable { fail('wire/unreadable', "$_[0], at byte " . (pos($json) // 0)) }

sub parse {
    my ($depth) = @_;
    $json =~ /\G[ \t\r\n]+/gc;
    if ($json =~ /\G"([^"\\\x00-\x1f]*)"/gc) { return text("$1") }
    if ($json =~ /\G(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/gc) {
        return $2 eq '' ? integer("$1") : float("$1$2");
    }
    if ($json =~ /\G([\[{])/gc) {
        fail('value/depth', 'nested deeper than ' . DEPTH_LIMIT . ' levels') if $depth >= DEPTH_LIMIT;
        return $1 eq '[' ? parse_array($depth + 1) : parse_object($depth + 1);
    }
    if ($json =~ /\G"/gc) { return parse_string() }
    if ($json =~ /\G(true|false|null)/gc) { return $1 eq 'null' ? undef : truth($1 eq 'true') }
    unreadable(pos($json) < length $json ? 'expected a value' : 'the text ends too soon');
}

sub parse_array {
    my ($depth) = @_;
    my @items;
    return \@items if $json =~ /\G[ \t\r\n]*\]/gc;
    while (1) {
        push @items, parse($depth);
        next if $json =~ /\G[ \t\r\n]*,/gc;
        return \@items if $json =~ /\G[ \t\r\n]*\]/gc;
        unreadable('expected , or ]');
    }
}

sub parse_object {
    my ($depth) = @_;
    my (%values, @keys);
    unless ($json =~ /\G[ \t\r\n]*\}/gc) {
        while (1) {
            $json =~ /\G[ \t\r\n]+/gc;
            my $key = $json =~ /\G"([^"\\\x00-\x1f]*)"/gc ? text("$1")
                : $json =~ /\G"/gc ? parse_string() : unreadable('expected a key');
            unreadable('a key twice') if exists $values{$key};
            $json =~ /\G[ \t\r\n]*:/gc or unreadable('expected :');
            push @keys, $key;
            $values{$key} = parse($depth);
            next if $json =~ /\G[ \t\r\n]*,/gc;
            last if $json =~ /\G[ \t\r\n]*\}/gc;
            unreadable('expected , or }');
        }
    }
    return exists $values{_type} ? untagged(\%values, \@keys) : ordered(\%values, \@keys);
}

# The rest of a string that holds escapes.
sub parse_string {
    my $bytes = '';
    while (1) {
        $bytes .= $1 if $json =~ /\G([^"\\\x00-\x1f]+)/gc;
        return text($bytes) if $json =~ /\G"/gc;
        if ($json =~ /\G\\(["\\\/bfnrt])/gc) { $bytes .= $escaped{$1}; next }
        $json =~ /\G\\u([0-9a-fA-F]{4})/gc or unreadable('a string that is not one');
        my $code = hex $1;
        if ($code >= 0xD800 && $code < 0xE000) {
            $code < 0xDC00 && $json =~ /\G\\u([dD][c-fC-F][0-9a-fA-F]{2})/gc
                or fail('value/surrogate', 'a lone surrogate, at byte ' . pos $json);
            $code = 0x10000 + (($code - 0xD800) << 10) + hex($1) - 0xDC00;
        }
        my $character = chr $code;
        utf8::encode($character);
        $bytes .= $character;
    }
}

# Characters of UTF-8. Perl's own decoding lets surrogates and what is beyond Unicode through.
sub text {
    my ($bytes) = @_;
    return $bytes unless $bytes =~ /[\x80-\xff]/;
    unreadable('bytes that are not UTF-8') if $bytes =~ /\xED[\xA0-\xBF]|\xF4[\x90-\xBF]|[\xF5-\xFF]/ || !utf8::decode($bytes);
    return $bytes;
}

sub truth { my $number = $_[0] ? 1 : 0; return bless \$number, 'JSON::PP::Boolean' }

sub integer {
    my ($digits) = @_;
    return 0 if $digits eq '-0';
    my $number = 0 + $digits;
    return $number if length $digits < 19 || "$number" eq $digits;
    require Math::BigInt;
    return Math::BigInt->new($digits);
}

sub float {
    my ($digits) = @_;
    my ($number) = POSIX::strtod($digits);       # 0 + "1.0" would be an integer
    my $copy = $number;                          # to compare a float may make it an integer too
    unreadable("a number beyond Perl's") if abs $copy == 9**9**9;
    return $number;
}

sub ordered {
    my ($values, $keys) = @_;
    tie my %object, 'Meta::Ordered', $values, $keys;
    return \%object;
}

my %special = (NaN => 9**9**9 / 9**9**9, Infinity => 9**9**9, '-Infinity' => -9**9**9, '-0.0' => POSIX::copysign(0.0, -1));

sub untagged {
    my ($values, $keys) = @_;
    my $tag = $values->{_type};
    unreadable('_type must be a text') if !defined $tag || ref $tag;
    if ($tag eq 'Int') {
        unreadable('an Int of no digits') unless ($values->{value} // '') =~ /^-?[0-9]+\z/;
        return integer($values->{value} =~ s/^(-?)0+(?=[0-9])/$1/r);
    }
    if ($tag eq 'Float') { return $special{$values->{value} // ''} // unreadable('a Float that is none') }
    if ($tag eq 'Bytes') {
        my $base64 = $values->{base64} // '';
        unreadable('bytes that are not base64') if length($base64) % 4 || $base64 !~ m{^[A-Za-z0-9+/]*={0,2}\z};
        return Meta::Bytes->new(MIME::Base64::decode_base64($base64));
    }
    if ($tag eq 'Map' && ref $values->{entries} eq 'ARRAY') {
        my @entries = @{$values->{entries}};
        # A Map of texts with _type among them is an object that must not be taken for a tag.
        if ((grep { ref $_ eq 'ARRAY' && is_text($_->[0]) } @entries) == @entries && grep { $_->[0] eq '_type' } @entries) {
            return ordered({map { $_->[0] => $_->[1] } @entries}, [map { $_->[0] } @entries]);
        }
    }
    if ($tag eq 'Ref') { return received($values) }
    my @rest = grep { $_ ne '_type' } @$keys;
    my $fields = ordered({map { $_ => $values->{$_} } @rest}, \@rest);
    return $tag eq 'Error' ? bless {%$fields}, 'Meta::Error' : bless {type => $tag, fields => $fields}, 'Meta::Tagged';
}

sub is_text {
    my ($value) = @_;
    return defined $value && !ref $value && B::svref_2object(\$value)->FLAGS & B::SVf_POK ? 1 : 0;
}

# ---- encode ---------------------------------------------------------------------------------------------------------

our (@path, %open, @listed, %is_listed, $copying);

# The body of a value, and what its frame's header says: ,"refs":[…] or nothing. Dies with a failure that has the path.
sub encode {
    my ($value, $bulk) = @_;
    local (@path, %open, @listed, %is_listed) = ();
    local $copying = $bulk;
    my $body = json($value, 0);
    return ($body, sent());
}

sub list { my $key = "@_"; push @listed, [@_] unless $is_listed{$key}++ }

# Counts one sending of each Ref listed, once the frame is sure to go.
sub sent {
    return '' unless @listed;
    $_->[0] eq $session && $_->[1] == $generation && Meta::Handles::count($_->[2]) for @listed;
    return ',"refs":[' . join(',', map { '[' . text_json($_->[0]) . ",$_->[1],$_->[2]]" } @listed) . ']';
}

# Whether it is what a comparison gives: Perl knows since 5.36.
my $knows_truth = defined &builtin::is_bool ? \&builtin::is_bool : sub { 0 };
sub is_truth { no warnings; return $knows_truth->($_[0]) }

sub json {
    my ($value, $depth) = @_;
    return 'null' unless defined $value;
    return ref $value ? reference_json($value, $depth) : scalar_json($value);
}

sub scalar_json {
    my ($value) = @_;
    no warnings;
    return $value ? 'true' : 'false' if is_truth($value);
    my $flags = B::svref_2object(\$value)->FLAGS;
    return ref_json(\$value, $value) if ref \$value eq 'GLOB';
    return text_json($value) if $flags & B::SVf_POK || !($flags & (B::SVf_IOK | B::SVf_NOK));
    return "$value" if $flags & B::SVf_IOK;
    return '{"_type":"Float","value":"NaN"}' if $value != $value;
    return '{"_type":"Float","value":"' . ($value < 0 ? '-' : '') . 'Infinity"}' if abs $value == 9**9**9;
    return '{"_type":"Float","value":"-0.0"}' if $value == 0 && sprintf('%g', $value) eq '-0';
    my $digits = '';
    for my $precision (15, 16, 17) {
        $digits = sprintf "%.${precision}g", $value;
        last if (POSIX::strtod($digits))[0] == $value;
    }
    return $digits =~ /[.e]/ ? $digits : "$digits.0";
}

sub text_json {
    my ($text) = @_;
    $text = "$text";
    utf8::encode($text);
    fail('value/surrogate', 'a surrogate or a character beyond Unicode' . at())
        if $text =~ /[\xED-\xFF]/ && $text =~ /\xED[\xA0-\xBF]|\xF4[\x90-\xBF]|[\xF5-\xFF]/;
    $text =~ s/(["\\\x00-\x1f])/$1 eq '"' || $1 eq '\\' ? "\\$1" : $1 eq "\n" ? '\\n' : sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

sub at { return @path ? ', at ' . join '', @path : '' }

sub reference_json {
    my ($value, $depth) = @_;
    my $class = blessed $value;
    return object_json($value, $class, $depth) if defined $class;
    my $type = ref $value;
    return ref_json($value) unless $type eq 'ARRAY' || $type eq 'HASH';
    return inside($value, $depth, $type eq 'ARRAY' ? \&array_json : \&hash_json);
}

# What `write` makes of a container's parts, with its nesting and cycles watched.
sub inside {
    my ($value, $depth, $write) = @_;
    my $address = refaddr $value;
    fail('value/depth', 'nested deeper than ' . DEPTH_LIMIT . ' levels' . at()) if $depth >= DEPTH_LIMIT;
    fail('value/cycle', 'the value holds itself' . at()) if $open{$address};
    local $open{$address} = 1;
    return $write->($value, $depth + 1);
}

sub array_json {
    my ($array, $depth) = @_;
    my @parts;
    for my $index (0 .. $#$array) {
        push @path, "[$index]";
        push @parts, json($array->[$index], $depth);
        pop @path;
    }
    return '[' . join(',', @parts) . ']';
}

# A hash of the user's has no order of its own: its keys go sorted.
sub hash_json {
    my ($hash, $depth) = @_;
    my $is_ordered = (tied(%$hash) // '') =~ /^Meta::Ordered=/;
    my $is_map = exists $hash->{_type};
    my @parts;
    for my $key ($is_ordered ? keys %$hash : sort keys %$hash) {
        push @path, $key =~ /^[A-Za-z_]\w*\z/ ? ".$key" : '[' . text_json($key) . ']';
        my $value = json($hash->{$key}, $is_map ? $depth + 2 : $depth);
        push @parts, $is_map ? '[' . text_json($key) . ",$value]" : text_json($key) . ":$value";
        pop @path;
    }
    return $is_map ? '{"_type":"Map","entries":[' . join(',', @parts) . ']}' : '{' . join(',', @parts) . '}';
}

sub object_json {
    my ($value, $class, $depth) = @_;
    return $$value ? 'true' : 'false' if $class eq 'JSON::PP::Boolean';
    if ($class eq 'Math::BigInt') {
        return '{"_type":"Float","value":"NaN"}' if $value->is_nan;
        return '{"_type":"Float","value":"' . ($value->is_neg ? '-' : '') . 'Infinity"}' if $value->is_inf;
        return $value->bstr;
    }
    return '{"_type":"Decimal","value":' . text_json($value->bstr) . '}' if $class eq 'Math::BigFloat' && $value->is_finite;
    return '{"_type":"Bytes","base64":"' . MIME::Base64::encode_base64($$value, '') . '"}' if $class eq 'Meta::Bytes';
    if ($class eq 'Meta::Tagged') {
        return inside($value, $depth, sub { tagged_json($_[0]{type}, $_[0]{fields}, $_[1]) });
    }
    if ($class eq 'Meta::Error') { return inside($value, $depth, sub { tagged_json('Error', $_[0], $_[1]) }) }
    return proxy_json($value) if $class eq 'Meta::Handle';
    return ref_json($value) unless $copying;
    my $type = reftype $value;
    fail('value/uncopyable', "a $class has no parts to copy" . at(), type => $class) unless $type eq 'HASH' || $type eq 'ARRAY';
    return inside($value, $depth, $type eq 'ARRAY' ? \&array_json : \&hash_json);
}

sub tagged_json {
    my ($tag, $fields, $depth) = @_;
    my @keys = (tied(%$fields) // '') =~ /^Meta::Ordered=/ ? keys %$fields : sort keys %$fields;
    return '{' . join(',', '"_type":' . text_json($tag), map { text_json($_) . ':' . json($fields->{$_}, $depth) } @keys) . '}';
}

# ---- handles --------------------------------------------------------------------------------------------------------
# What has no copy stays here under a number, as long as the other side holds it; what is the other side's is a proxy.

my (@release, %proxies);                 # sendings to give back; live proxies, weakly

sub ref_json {
    my ($value, $held) = @_;
    my $number = @_ > 1 ? Meta::Handles::number_of_value($held) : Meta::Handles::number($value);
    return record_json({
        owner => $session, generation => $generation, ref => $number, type => type_of(@_ > 1 ? $held : $value),
        repr => repr(@_ > 1 ? $held : $value), callable => is_callable($value),
    });
}

sub record_json {
    my ($record) = @_;
    my ($owner, $born, $number) = @$record{qw(owner generation ref)};
    list($owner, $born, $number);
    return '{"_type":"Ref","owner":' . text_json($owner) . qq(,"generation":$born,"ref":$number,"type":)
        . text_json($record->{type}) . ',"repr":' . text_json($record->{repr})
        . ',"callable":' . ($record->{callable} ? 'true' : 'false') . '}';
}

sub proxy_json { return record_json(Meta::Handle::record($_[0])) }

# What a Ref in a body stands for: at home the object itself, else the one proxy for it.
sub received {
    my ($record) = @_;
    my ($owner, $born, $number) = @$record{qw(owner generation ref)};
    unreadable('a Ref that is none') if grep { !defined || ref } $owner, $born, $number;
    unreadable("the Ref $owner $born $number is not listed") if !$allowed || !$allowed->{"$owner $born $number"};
    if ($owner eq $session) {
        return Meta::Handles::value($number) if $born == $generation && Meta::Handles::is_held($number);
        fail('session/stale-handle', "the handle $number of $owner is gone");
    }
    my $proxy = $proxies{"$owner $born $number"};
    unless ($proxy) {
        $proxy = Meta::Handle::new({%$record});
        weaken($proxies{"$owner $born $number"} = $proxy);
    }
    return $proxy;
}

# Each frame that lists a foreign Ref is a sending to give back when its proxy goes.
sub count_received {
    my ($refs) = @_;
    for my $ref (@{$refs // []}) {
        next if $ref->[0] eq $session;
        my $proxy = $proxies{join ' ', @$ref[0 .. 2]};
        if ($proxy) { Meta::Handle::record($proxy)->{received}++ } else { push @release, [@$ref[0 .. 2], 1] }
    }
}

sub forget {
    my ($record) = @_;
    push @release, [@$record{qw(owner generation ref)}, $record->{received}] if $record->{received};
}

sub send_releases {
    return unless @release;
    my $refs = join ',', map { '[' . text_json($_->[0]) . ",$_->[1],$_->[2],$_->[3]]" } splice @release;
    send_frame($requests, qq({"op":"release","refs":[$refs]}), '');
}

sub type_of {
    my ($value) = @_;
    return 'undef' unless defined $value;
    return 'boolean' if ref $value eq 'JSON::PP::Boolean';
    return $value->{type} if ref $value eq 'Meta::Tagged';
    return Meta::Handle::record($value)->{type} if ref $value eq 'Meta::Handle';
    return blessed $value // ref $value if ref $value;
    return 'boolean' if is_truth($value);
    return 'GLOB' if ref \$value eq 'GLOB';
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & B::SVf_POK ? 'string' : $flags & B::SVf_IOK ? 'integer' : $flags & B::SVf_NOK ? 'float' : 'string';
}

# A short text for people: never runs code of the user's.
sub repr {
    my ($value) = @_;
    no warnings;
    my $text = !defined $value ? 'undef' : !ref $value ? "$value" : ref $value eq 'CODE' ? 'sub ' . sub_name($value)
        : ref $value eq 'Regexp' ? "$value" : (blessed $value // ref $value) . sprintf '(0x%x)', refaddr $value;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\\x%02x', ord $1/ge;
    $text =~ s/[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/\x{FFFD}/g;
    return length $text > REPR_LIMIT ? substr($text, 0, REPR_LIMIT - 1) . "\x{2026}" : $text;
}

sub sub_name {
    my $glob = B::svref_2object($_[0])->GV;
    return $glob->can('NAME') ? $glob->STASH->NAME . '::' . $glob->NAME =~ s/^__ANON__\z/(anonymous)/r : '(anonymous)';
}

sub is_callable {
    my ($value) = @_;
    return (reftype $value // '') eq 'CODE' || defined blessed $value && overload::Method($value, '&{}') ? 1 : 0;
}

# ---- streams --------------------------------------------------------------------------------------------------------

sub send_frame {
    my ($socket, $header, $body) = @_;
    my $bytes = sprintf('%08x%08x', length $header, length $body) . $header . $body;
    my $sent = 0;
    while ($sent < length $bytes) {
        my $count = syswrite $socket, $bytes, length($bytes) - $sent, $sent;
        next if !defined $count && $!{EINTR};
        end() unless $count;
        $sent += $count;
    }
}

# Header and body, as bytes. A part beyond its limit is read past and comes as undef. Does not return at the end.
sub receive_frame {
    my ($socket) = @_;
    my $prefix = take($socket, 16);
    $prefix =~ /^[0-9a-f]{16}\z/ or end();      # where the next frame begins is anybody's guess
    my ($header, $body) = map { hex } substr($prefix, 0, 8), substr($prefix, 8);
    return map { $_->[0] > $_->[1] ? skip($socket, $_->[0]) : take($socket, $_->[0]) }
        [$header, HEADER_LIMIT], [$body, BODY_LIMIT];
}

sub take {
    my ($socket, $wanted) = @_;
    my $bytes = '';
    while (length $bytes < $wanted) {
        my $count = sysread $socket, $bytes, $wanted - length $bytes, length $bytes;
        next if !defined $count && $!{EINTR};
        end() unless $count;
    }
    return $bytes;
}

sub skip {
    my ($socket, $left) = @_;
    $left -= length take($socket, $left < 65536 ? $left : 65536) while $left > 0;
    return undef;
}

# meta is gone, or has closed the session.
sub end { exit 0 }

# All that the request printed is on its way before its reply.
sub flush {
    my $selected = select STDOUT;
    $| = 1;
    select STDERR;
    $| = 1;
    select $selected;
}

sub reply {
    my ($socket, $id, $value, $started, $request, $more) = @_;
    my ($body, $refs) = $request->{hold} ? held($value) : encode($value, $request->{copy});
    flush();
    send_releases();
    my $elapsed = sprintf '%.1f', (Time::HiRes::time() - $started) * 1e6;
    send_frame($socket, qq({"op":"ret","re":$id,"type":) . text_json(type_of($value)) . qq(,"elapsed":$elapsed)
        . ($more // '') . $refs . '}', $body);
}

# The value as a handle, even where it has a copy.
sub held {
    my ($value) = @_;
    local (@path, %open, @listed, %is_listed) = ();
    my $body = ref $value eq 'Meta::Handle' ? proxy_json($value) : ref $value ? ref_json($value) : ref_json(\$value, $value);
    return ($body, sent());
}

# ---- evaluate -------------------------------------------------------------------------------------------------------

my %texts;                               # the user's sources by name, as lines
our ($stack, $depth) = ([], 0);          # where the last die was

sub fail {
    my ($code, $message, %more) = @_;
    die bless {code => $code, message => $message, path => join('', @path), %more}, 'Meta::Failure';
}

# Runs code of the user's; interrupts reach it and nothing else.
sub guarded {
    my ($code) = @_;
    local ($running, $waiting) = (0, 0);
    local $SIG{INT} = \&interrupted;
    local $SIG{__DIE__} = \&note_stack;
    $stack = [];
    my $value;
    my $is_done = eval { $running = 1; $value = $code->(); $running = 0; 1 };
    my $error = $@;
    $running = 0;
    # A fork of the user's that came to its end must not answer.
    if ($$ != $PID) { flush(); print STDERR $error if !$is_done; POSIX::_exit($is_done ? 0 : 255) }
    return $value if $is_done;
    local $SIG{__DIE__};
    # What is compiled while the signal comes makes a text of it.
    die $INTERRUPT if !ref $error && $error =~ /^interrupted(?:BEGIN|Compilation) failed/;
    die $error;
}

sub interrupted { die $INTERRUPT if $running && !$waiting }

# system ignores interrupts while its child runs: what ended the child ends the request. Only in the user's main package.
sub watched_system {
    my $status = CORE::system(@_);
    die $INTERRUPT if $running && ($status & 127) == POSIX::SIGINT();
    return $status;
}
{ no warnings 'redefine'; *main::system = \&watched_system }

sub evaluate {
    my ($text, $name) = @_;
    $name =~ s/["\n]//g;
    $texts{$name} = [split /\n/, $text, -1];
    delete $texts{(sort { length $a <=> length $b || $a cmp $b } keys %texts)[0]} if keys %texts > 1000;
    local $source = "package main; no strict; no warnings; use utf8; use feature ':5.30';\n#line 1 \"$name\"\n$text";
    utf8::upgrade($source);
    return guarded(sub {
        my $value = run_source();
        die $@ if ref $@ || $@ ne '';
        return $value;
    });
}

# The frames between the place of a die and this kernel, outermost first.
sub note_stack {
    return if ref $_[0] eq 'Meta::Failure' || ref $_[0] && $_[0] == $INTERRUPT;
    my @frames;
    for (my $level = 0; my ($package, $file, $line) = caller $level; $level++) {
        next if $file eq __FILE__ || !is_users($file);
        my $function = (caller $level + 1)[3] // '';
        $function = '' if $function =~ /^Meta::Kernel::|^\(eval\)/;
        unshift @frames, {function => $function =~ s/^main:://r, source => $file, line => $line, text => line_of($file, $line)};
    }
    $stack = \@frames if @frames;
}

# Not Perl's own libraries, nor those that are installed.
sub is_users {
    my ($file) = @_;
    return 1 if $texts{$file};
    return !grep { !ref && index($file, "$_/") == 0 } @INC;
}

sub line_of {
    my ($file, $line) = @_;
    my $text = $texts{$file} ? $texts{$file}[$line - 1] : undef;
    if (!defined $text && -f $file && open my $handle, '<', $file) {
        while (<$handle>) { if ($. == $line) { $text = $_; last } }
    }
    return ($text // '') =~ s/^\s+|\s+$//gr;
}

# The header of an error, without its braces and its number; and its body.
sub described {
    my ($error) = @_;
    if (ref $error eq 'Meta::Failure') {
        my @members = map { defined $error->{$_} && $error->{$_} ne '' ? qq(,"$_":) . text_json($error->{$_}) : () } qw(type path);
        return (error_json(@$error{qw(code message)}, []) . join('', @members), '');
    }
    if (ref $error && $error == $INTERRUPT) { return (error_json('runtime/interrupted', 'interrupted', []), '') }
    my @own = @$stack;
    if (ref $error eq 'Meta::Error') {
        my @frames = (@own, @{$error->{frames} // []});
        splice @frames, 50, @frames - 100 if @frames > 100;
        my ($members, $body, $refs) = (error_json($error->{code} // 'runtime/raised', $error->{message} // '', \@frames), '', '');
        $members .= qq(,"$_":) . text_json($error->{$_}) for grep { defined $error->{$_} } qw(type language);
        $members .= ',"cause":' . (encode(cause_of($error)))[0] if $error->{cause};
        local (@path, %open, @listed, %is_listed) = ();
        $body = json($error->{data}, 0) if defined $error->{data};
        if (my $original = $error->{ref}) {
            my ($owner, $born, $number) = ref $original eq 'ARRAY' ? @$original : @{Meta::Handle::record($original)}{qw(owner generation ref)};
            list($owner, $born, $number);
            $members .= ',"ref":[' . text_json($owner) . ",$born,$number]";
        }
        return ($members . sent(), $body);
    }
    return described_reference($error, \@own) if ref $error;
    my $message = "$error";
    # "syntax error at <perl 1> line 2, near …" and "… at <perl 1> line 2.": the place goes into a frame.
    if ($message =~ s/ at (\S+(?: \d+>)?) line (\d+)(?:\.?\s*\z|(?=, near ))//) {
        my ($file, $line) = ($1, $2);
        @own = ({function => '', source => $file, line => $line, text => line_of($file, $line)}) if !@own && is_users($file) && $file ne __FILE__;
    }
    $message =~ s/\s+\z//;
    return (error_json('runtime/raised', $message, \@own) . ',"type":"die","language":"perl"', '');
}

sub cause_of { return {%{$_[0]{cause}}} }

# An exception that is an object stays here, and comes home as itself.
sub described_reference {
    my ($error, $frames) = @_;
    my $class = blessed $error;
    my $message = eval { local $SIG{__DIE__}; defined $class && overload::Method($error, '""') ? "$error" : undef }
        // eval { local $SIG{__DIE__}; defined $class && $error->can('message') ? '' . $error->message : undef } // repr($error);
    my $body = defined $class ? '' : eval { (encode($error))[0] } // '';
    local (@path, %open, @listed, %is_listed) = ();
    my $number = Meta::Handles::number($error);
    list($session, $generation, $number);
    my $members = error_json('runtime/raised', $message =~ s/\s+\z//r, $frames) . ',"type":' . text_json($class // ref $error)
        . ',"language":"perl","ref":[' . text_json($session) . ",$generation,$number]";
    return ($members . sent(), $body =~ /"_type":"Ref"/ ? '' : $body);
}

sub error_json {
    my ($code, $message, $frames) = @_;
    $message =~ s/[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/\x{FFFD}/g;
    my @frames = map {
        my $frame = $_;
        '{' . join(',', map { defined $frame->{$_} ? qq("$_":) . ($_ eq 'line' ? $frame->{$_} + 0 : text_json($frame->{$_})) : () }
            qw(function source line text)) . '}';
    } @$frames;
    return '"code":' . text_json($code) . ',"message":' . text_json($message) . ',"frames":[' . join(',', @frames) . ']';
}

# ---- operations -----------------------------------------------------------------------------------------------------

# What a path or a ref leads to. A path starts at a variable, a function or a package, which is loaded when it is wanted.
sub target {
    my ($request) = @_;
    my @path = @{$request->{path} // []};
    fail('wire/unreadable', 'a path is a list of names') if grep { !defined || ref } @path;
    if (defined $request->{ref}) {
        my $number = $request->{ref};
        fail('session/stale-handle', "the handle $number is gone") unless Meta::Handles::is_held($number);
        return follow(Meta::Handles::value($number), @path);
    }
    fail('wire/unreadable', 'a request needs a path or a ref') unless @path;
    return find(map { split /::/ } @path);
}

sub find {
    my @names = @_;
    no strict 'refs';
    my $first = $names[0];
    if (my $slot = variable("main::$first")) { return follow($$slot, @names[1 .. $#names]) }
    return \&{"main::$first"} if @names == 1 && defined &{"main::$first"};
    my ($member, @package) = reverse @names;
    @package = reverse @package;
    if (!@package) {
        return \&{"CORE::$first"} if $first =~ /^[a-z]+\z/ && defined &{"CORE::$first"};
        missing($first, main_names());
    }
    my $package = join '::', @package;
    my ($class, $method) = $member =~ /^(\w+)->(\w+)\z/;
    if (defined $method) {
        $class = "${package}::$class";
        load($class);
        my $code = $class->can($method) // missing("$class->$method", names_in($class));
        return sub { $code->($class, @_) };
    }
    load($package);
    if (defined &{"${package}::$member"}) { return \&{"${package}::$member"} }
    if (my $slot = variable("${package}::$member")) { return $$slot }
    missing("${package}::$member", names_in($package));
}

my %is_set;                              # scalars that meta has given a value, be it undef

# The value of a package variable: its scalar, else its array or hash; undef where there is none.
sub variable {
    my ($name) = @_;
    no strict 'refs';
    my ($package, $short) = $name =~ /^(.*)::(.*)\z/s;
    return undef unless exists ${"${package}::"}{$short};
    my $glob = ${"${package}::"}{$short};
    return undef unless ref \$glob eq 'GLOB';
    return \${"$name"} if defined ${"$name"} || $is_set{$name};
    my $reference = *{$glob}{ARRAY} // (substr($short, -2) eq '::' ? undef : *{$glob}{HASH});
    return $reference ? \$reference : undef;
}

sub load {
    my ($package) = @_;
    no strict 'refs';
    return if %{"${package}::"} && grep { !/::\z/ } keys %{"${package}::"};
    my $file = $package =~ s{::}{/}gr . '.pm';
    $package =~ /^\w+(?:::\w+)*\z/ or missing($package);
    my ($found) = grep { !ref && -f "$_/$file" } @INC;
    missing($package) unless $found;
    guarded(sub { require $file });
}

sub missing {
    my ($name, @names) = @_;
    my ($last) = $name =~ /(\w+)\z/;
    my @near = grep { near(lc($last // ''), lc $_) } @names;
    fail('runtime/missing', "there is no $name" . (@near ? '; near: ' . join(', ', @near[0 .. ($#near < 3 ? $#near : 3)]) : ''));
}

# One edit apart, or one the start of the other.
sub near {
    my ($one, $two) = @_;
    return 0 if length $one < 3 || length $two < 3;
    return 1 if index($one, $two) == 0 || index($two, $one) == 0;
    my ($long, $short) = length $one >= length $two ? ($one, $two) : ($two, $one);
    return 0 if length($long) - length($short) > 1;
    my $same = 0;
    $same++ while $same < length $short && substr($long, $same, 1) eq substr($short, $same, 1);
    return substr($long, $same + 1) eq substr($short, length $long == length $short ? $same + 1 : $same);
}

sub names_in { no strict 'refs'; return grep { /^\w+\z/ && defined &{"$_[0]::$_"} } sort keys %{"$_[0]::"} }
sub main_names { no strict 'refs'; return grep { /^\w+\z/ && (defined &{"main::$_"} || defined variable("main::$_")) } sort keys %main:: }

sub follow {
    my ($value, @names) = @_;
    $value = member($value, $_) for @names;
    return $value;
}

sub member {
    my ($value, $name) = @_;
    if (defined blessed $value && ref $value ne 'Meta::Handle') {
        if (my $method = $value->can($name)) { return sub { $method->($value, @_) } }
    }
    return Meta::Handle::get($value, $name) if ref $value eq 'Meta::Handle';
    my $type = reftype $value // '';
    return $value->{$name} if $type eq 'HASH' && exists $value->{$name};
    return $value->[$name] if $type eq 'ARRAY' && $name =~ /^-?[0-9]+\z/ && $name >= -@$value && $name < @$value;
    fail('runtime/missing', 'a ' . type_of($value) . " has no $name", $type eq 'HASH' ? sort keys %$value : ());
}

sub op_eval {
    my ($request, $names) = @_;
    fail('wire/unreadable', 'eval needs code') if !defined $request->{code} || ref $request->{code};
    fail('wire/unreadable', 'the names of an eval are an object') if defined $names && ref $names ne 'HASH';
    my %kept;
    no strict 'refs';
    for my $name (keys %{$names // {}}) {
        fail('wire/unreadable', "$name is no name") unless $name =~ /^[A-Za-z_]\w*\z/;
        $kept{$name} = *{"main::$name"}{SCALAR};
        *{"main::$name"} = \(my $copy = $names->{$name});
    }
    my $value = eval { evaluate($request->{code}, $request->{name} // '<perl>') };
    my $error = $@;
    my $failed = ref $error || $error ne '';
    *{"main::$_"} = $kept{$_} for keys %kept;
    die $error if $failed;
    return $value;
}

# Keywords come as pairs behind the arguments.
sub op_call {
    my ($request, $body) = @_;
    fail('wire/unreadable', 'the body of a call is [arguments, keywords]')
        if ref $body ne 'ARRAY' || @$body != 2 || ref $body->[0] ne 'ARRAY' || ref $body->[1] ne 'HASH';
    my ($arguments, $keywords) = @$body;
    my $function = target($request);
    fail('runtime/raised', 'a ' . type_of($function) . ' cannot be called', type => 'die') unless is_callable($function) || ref $function eq 'Meta::Handle';
    my @all = (@$arguments, map { $_ => $keywords->{$_} } keys %$keywords);
    return guarded(sub { scalar $function->(@all) });
}

sub op_get {
    my ($request, $key) = @_;
    my $value = target($request);
    return $value unless $request->{item};
    return guarded(sub { item($value, $key) });
}

sub item {
    my ($value, $key) = @_;
    my $type = reftype $value // '';
    if ($type eq 'ARRAY') {
        fail('runtime/missing', 'an array has no item ' . ($key // 'undef')) if !defined $key || $key !~ /^-?[0-9]+\z/ || $key < -@$value || $key >= @$value;
        return $value->[$key];
    }
    fail('runtime/missing', 'a ' . type_of($value) . ' has no items') unless $type eq 'HASH';
    fail('runtime/missing', 'there is no key ' . repr($key)) unless exists $value->{$key};
    return $value->{$key};
}

sub op_set {
    my ($request, $body) = @_;
    if ($request->{item}) {
        my $value = target($request);
        fail('wire/unreadable', 'the body is [key, value]') unless ref $body eq 'ARRAY' && @$body == 2;
        return guarded(sub { assign($value, @$body); undef });
    }
    my @path = @{$request->{path} // []};
    my $name = pop @path // fail('wire/unreadable', 'set needs a path');
    if (@path || defined $request->{ref}) {
        my $value = target({%$request, path => \@path});
        return guarded(sub { assign($value, $name, $body); undef });
    }
    fail('wire/unreadable', "$name is no name") unless $name =~ /^[A-Za-z_]\w*(?:::\w+)*\z/;
    $name = "main::$name" unless $name =~ /::/;
    no strict 'refs';
    ${"$name"} = $body;
    $is_set{$name} = 1;
    return undef;
}

sub assign {
    my ($value, $key, $new) = @_;
    my $type = reftype $value // '';
    if ($type eq 'HASH') { $value->{$key} = $new }
    elsif ($type eq 'ARRAY' && $key =~ /^-?[0-9]+\z/) { $value->[$key] = $new }
    else { fail('runtime/missing', 'a ' . type_of($value) . " takes no $key") }
}

sub op_import {
    my ($request) = @_;
    my $package = join '::', @{$request->{path} // []};
    fail('runtime/missing', 'a module has a name') unless $package =~ /^\w+(?:::\w+)*\z/;
    load($package);
    no strict 'refs';
    if (defined(my $alias = $request->{as})) { *{"main::${alias}::"} = *{"${package}::"} }
    else { evaluate("$package->import; undef", '<import>') }
    return undef;
}

my @words = qw(abs bless chomp chop chr close defined delete die do each else elsif eval exists foreach grep if join keys lc
    length local map my open our package pop print printf push ref require return reverse say scalar shift sort splice split
    sprintf state sub substr uc undef unless unshift until use values wantarray while);

sub op_complete {
    my ($request) = @_;
    my $text = substr $request->{code} // '', 0, $request->{cursor} // 0;
    my ($sigil, $prefix) = $text =~ /([\$\@%&]?)((?:[A-Za-z_]\w*(?:::|\.))*(?:[A-Za-z_]\w*)?)\z/;
    my $start = length($text) - length "$sigil$prefix";
    return ordered({start => $start, matches => []}, [qw(start matches)]) if "$sigil$prefix" eq '';
    my ($package, $joint, $stem) = $prefix =~ /^(?:(.*)(::|\.))?(.*)\z/s;
    my $inside = defined $package ? $package =~ s/\./::/gr : 'main';
    no strict 'refs';
    my @names = grep { /^[A-Za-z_]\w*(?:::)?\z/ } keys %{"${inside}::"};
    @names = $sigil eq '' ? grep { /::\z/ || defined &{"${inside}::$_"} } @names : grep { !/::\z/ } @names;
    push @names, @words if $sigil eq '' && !defined $package;
    my %seen;
    my @matches = map { $sigil . (defined $package ? "$package$joint" : '') . $_ } grep { index($_, $stem) == 0 && !$seen{$_}++ } sort @names;
    return ordered({start => $start, matches => \@matches}, [qw(start matches)]);
}

sub op_status {
    return ordered({busy => truth(0), handles => Meta::Handles::held(), proxies => scalar keys %proxies}, [qw(busy handles proxies)]);
}

# The items of an array, the keys of a hash, the lines of a file; the rest waits in an iterator.
sub op_items {
    my ($request) = @_;
    my $value = target($request);
    my $iterator = ref $value eq 'Meta::Iterator' ? $value : iterator($value);
    my $count = $request->{count} // 1000;
    my @items = guarded(sub { $iterator->take($count) })->@*;
    return (\@items, $iterator->{more} ? $iterator : undef);
}

sub iterator {
    my ($value) = @_;
    my $type = reftype $value // '';
    my $index = 0;
    if ($type eq 'ARRAY') { return Meta::Iterator->new(sub { $index < @$value ? (1, $value->[$index++]) : () }) }
    if ($type eq 'HASH') {
        my @keys = (tied(%$value) // '') =~ /^Meta::Ordered=/ ? keys %$value : sort keys %$value;
        return Meta::Iterator->new(sub { $index < @keys ? (1, $keys[$index++]) : () });
    }
    if ($type eq 'GLOB' || $type eq 'IO') { return Meta::Iterator->new(sub { my $line = <$value>; defined $line ? (1, $line) : () }) }
    fail('runtime/raised', 'a ' . type_of($value) . ' has no items', type => 'die');
}

sub op_inspect {
    my ($request) = @_;
    my $value = target($request);
    my $type = reftype $value // '';
    my $class = blessed $value;
    no strict 'refs';
    my %members = map { $_ => 1 } $type eq 'HASH' ? keys %$value : ();
    if (defined $class) { require mro; $members{$_} = 1 for map { names_in($_) } @{mro::get_linear_isa($class)} }
    my @names = sort keys %members;
    return ordered({
        type => type_of($value), repr => repr($value), callable => truth(is_callable($value)),
        length => $type eq 'ARRAY' ? scalar @$value : $type eq 'HASH' ? scalar keys %$value : undef,
        members => [@names > 1000 ? @names[0 .. 999] : @names], doc => undef,
    }, [qw(type repr callable length members doc)]);
}

# References are equal when they are one, or when their class says so; anything else as `eq` and `==` have it.
sub op_equal {
    my ($request, $other) = @_;
    my $value = target($request);
    return truth(guarded(sub {
        if (ref $value || ref $other) {
            return 0 unless ref $value && ref $other;
            for my $operator ('==', 'eq') {
                return $operator eq '==' ? $value == $other : $value eq $other if defined blessed $value && overload::Method($value, $operator);
            }
            return refaddr $value == refaddr $other;
        }
        return !defined $value && !defined $other if !defined $value || !defined $other;
        return is_text($value) || is_text($other) ? $value eq $other : $value == $other;
    }));
}

# ---- calling up -----------------------------------------------------------------------------------------------------

my $upcalls = 0;
our $serving;                            # the request of meta's that runs

# Sends a request up and waits; what meta asks on its behalf meanwhile is served here. `of` is the proxy asked about.
sub ask {
    my ($op, $members, $value, %more) = @_;
    fail('session/unsupported', 'a forked copy of the session cannot call meta') if $$ != $PID;
    my $id = ++$upcalls;
    my @triple = $more{of} ? @{Meta::Handle::record($more{of})}{qw(owner generation ref)} : ();
    my ($body, $refs) = encode($value);
    $body = '' if $more{empty};
    $members .= ',"ref":[' . text_json($triple[0]) . ",$triple[1],$triple[2]]" if @triple;
    $members .= ',"path":[' . join(',', map { text_json($_) } @{$more{path}}) . ']' if @{$more{path} // []};
    $members .= ",\"for\":$serving" if defined $serving;
    flush();
    my ($was_running, $was_waiting) = ($running, $waiting);
    ($running, $waiting) = (1, 1);
    my $end = sub { ($running, $waiting) = ($was_running, $was_waiting) };
    send_frame($upward, qq({"op":"$op","id":$id$members$refs}), $body);
    while (1) {
        my ($header, $answer) = receive_frame($upward);
        my $message = eval { decode($header) };
        if (ref $message ne 'HASH') { $end->(); fail('wire/unreadable', 'what meta answered is no message') }
        if (defined $message->{in}) { dispatch($upward, $header, $answer); next }
        next unless ($message->{re} // 0) == $id;
        my $value = eval { decode($answer, $message->{refs} // []) };
        my $trouble = $@;
        count_received($message->{refs});
        $end->();
        die $trouble if ref $trouble || $trouble ne '';
        return $value if $message->{op} eq 'ret';
        raise($message, $value);
    }
}

# An error that comes back: the original where it is ours, meta's interrupt as an interrupt, else a Meta::Error.
sub raise {
    my ($error, $data) = @_;
    my ($owner, $born, $number) = @{$error->{ref} // []};
    if (defined $number && $owner eq $session && $born == $generation && Meta::Handles::is_held($number)) {
        die Meta::Handles::value($number);
    }
    die $INTERRUPT if ($error->{code} // '') eq 'runtime/interrupted';
    my %fields = map { $_ => $error->{$_} } grep { defined $error->{$_} } qw(code type message language frames cause ref);
    die bless {%fields, data => $data}, 'Meta::Error';
}

sub meta::call { my ($path, @all) = @_; return ask('call', '', [\@all, {}], path => [split /\./, $path]) }
sub meta::eval { my ($language, $code, %names) = @_; return ask('eval', ',"language":' . text_json($language) . ',"code":' . text_json($code), \%names) }
sub meta::fetch { my ($handle) = @_; return ask('get', ',"copy":true', undef, of => $handle, empty => 1) }
sub meta::truth { return truth($_[0]) }
sub meta::bytes { return Meta::Bytes->new($_[0]) }

# ---- loop -----------------------------------------------------------------------------------------------------------

sub release {
    my ($request) = @_;
    for my $ref (@{$request->{refs} // []}) {
        Meta::Handles::release($ref->[2], $ref->[3]) if $ref->[0] eq $session && $ref->[1] == $generation;
    }
}

# One request from its header to its reply. Dies never.
sub dispatch {
    my ($socket, $header, $body) = @_;
    my $started = Time::HiRes::time();
    my $request = defined $header ? eval { decode($header) } : undef;
    if (ref $request ne 'HASH' || !is_text($request->{op})) {
        my $why = !defined $header ? 'a header of more than ' . HEADER_LIMIT . ' bytes' : ref $@ eq 'Meta::Failure' ? $@->{message} : 'no operation';
        flush();
        return send_frame($socket, '{"op":"err","re":null,' . error_json('wire/unreadable', "unreadable header: $why", []) . '}', '');
    }
    my ($op, $id) = @$request{qw(op id)};
    if ($op eq 'init') { ($session, $generation, $width) = ($request->{session} // $session, $request->{generation} // 1, $request->{width} // 80); return }
    return release($request) if $op eq 'release';
    return if $op eq 'cancel';
    unless (defined $id && !ref $id && $id =~ /^[0-9]+\z/) {
        return send_frame($socket, '{"op":"err","re":null,' . error_json('wire/unreadable', 'unreadable header: no id', []) . '}', '');
    }
    local $serving = $id;
    my ($value, $iterator);
    my $is_done = eval {
        fail('runtime/unsupported', "this kernel does not support $op") unless $operation{$op};
        fail('value/too-large', 'a body holds ' . BODY_LIMIT . ' bytes at most') unless defined $body;
        my $given = eval { decode($body, $request->{refs} // []) };
        my $error = $@;
        count_received($request->{refs});
        die $error if ref $error;
        ($value, $iterator) = $operation{$op}->($request, $given);
        undef $given;
        if ($op eq 'items') { reply_items($socket, $id, $value, $iterator, $started) }
        else { reply($socket, $id, $value, $started, $request) }
        1;
    };
    return if $is_done;
    my $error = $@;
    my ($members, $data) = eval { described($error) };
    ($members, $data) = (error_json('runtime/raised', 'an error that cannot be described', []), '') unless defined $members;
    flush();
    send_releases();
    send_frame($socket, qq({"op":"err","re":$id,$members}), $data);
}

sub reply_items {
    my ($socket, $id, $items, $iterator, $started) = @_;
    local (@path, %open, @listed, %is_listed) = ();
    my $body = json($items, 0);
    my $more = ',"more":false';
    if ($iterator) {
        my $number = Meta::Handles::number($iterator);
        list($session, $generation, $number);
        $more = ',"more":true,"iterator":[' . text_json($session) . ",$generation,$number]";
    }
    flush();
    send_releases();
    my $elapsed = sprintf '%.1f', (Time::HiRes::time() - $started) * 1e6;
    send_frame($socket, qq({"op":"ret","re":$id,"type":"ARRAY","elapsed":$elapsed$more) . sent() . '}', $body);
}

sub main {
    take_sockets();
    binmode STDOUT, ':utf8';
    binmode STDERR, ':utf8';
    flush();
    $SIG{INT} = sub { };                 # idle: there is nothing to interrupt
    hello();
    while (1) { dispatch($requests, receive_frame($requests)) }
}

# ---- what values are here -------------------------------------------------------------------------------------------

# A hash that keeps the order of its keys: [values, keys, place of the iteration].
package Meta::Ordered;
sub TIEHASH { my ($class, $values, $keys) = @_; return bless [$values, $keys, 0], $class }
sub FETCH { return $_[0][0]{$_[1]} }
sub STORE { my ($self, $key, $value) = @_; push @{$self->[1]}, $key unless exists $self->[0]{$key}; $self->[0]{$key} = $value }
sub EXISTS { return exists $_[0][0]{$_[1]} }
sub DELETE { my ($self, $key) = @_; @{$self->[1]} = grep { $_ ne $key } @{$self->[1]} if exists $self->[0]{$key}; return delete $self->[0]{$key} }
sub CLEAR { my ($self) = @_; @$self = ({}, [], 0) }
sub FIRSTKEY { $_[0][2] = 0; return $_[0]->NEXTKEY }
sub NEXTKEY { my ($self) = @_; return $self->[2] < @{$self->[1]} ? $self->[1][$self->[2]++] : undef }
sub SCALAR { return scalar @{$_[0][1]} }

# Bytes, which Perl's strings do not tell from text: "$bytes" is the string of them.
package Meta::Bytes;
use overload '""' => sub { ${$_[0]} }, 'bool' => sub { length ${$_[0]} }, fallback => 1;
sub new { my ($class, $bytes) = @_; $bytes = "$bytes"; utf8::downgrade($bytes); return bless \$bytes, $class }
sub length { return CORE::length ${$_[0]} }

# A value of a kind that Perl lacks, carried through unchanged: its tag in {type}, the rest in {fields}.
package Meta::Tagged;
use overload '""' => sub { my $fields = $_[0]{fields}; $fields->{value} // "$_[0]{type}" }, 'bool' => sub { 1 }, 'eq' => sub { "$_[0]" eq "$_[1]" }, fallback => 1;

# An error of another language: {code}, {type}, {message}, {language}, {frames}, {cause}, {data}.
package Meta::Error;
use overload '""' => sub { ($_[0]{type} // $_[0]{code} // 'error') . ': ' . ($_[0]{message} // '') }, 'bool' => sub { 1 }, fallback => 1;

package Meta::Failure;
use overload '""' => sub { $_[0]{message} }, 'bool' => sub { 1 }, fallback => 1;

package Meta::Interrupt;
use overload '""' => sub { 'interrupted' }, 'bool' => sub { 1 }, '==' => sub { ref $_[0] eq ref $_[1] }, fallback => 1;

package Meta::Iterator;

sub new {
    my ($class, $next) = @_;
    my $self = bless {next => $next, more => 1}, $class;
    $self->advance;
    return $self;
}

# One item ahead, so that it is known whether there are more.
sub advance {
    my ($self) = @_;
    my ($is_there, $item) = $self->{next}->();
    ($self->{more}, $self->{item}) = ($is_there ? 1 : 0, $item);
}

sub take {
    my ($self, $count) = @_;
    my @items;
    while ($self->{more} && @items < $count) { push @items, $self->{item}; $self->advance }
    return \@items;
}

# The objects that others hold, by number; one object has one number.
package Meta::Handles;
my ($last, %objects, %sendings, %numbers) = (0);

sub number {
    my ($object) = @_;
    my $address = Scalar::Util::refaddr($object);
    return $numbers{$address} //= do { $objects{++$last} = [$object]; $sendings{$last} = 0; $last };
}

sub number_of_value { $objects{++$last} = [undef, $_[0]]; $sendings{$last} = 0; return $last }
sub is_held { return $_[0] =~ /^[0-9]+\z/ && exists $objects{$_[0]} }
sub value { my $held = $objects{$_[0]}; return @$held > 1 ? $held->[1] : $held->[0] }
sub count { $sendings{$_[0]}++ if exists $objects{$_[0]} }
sub held { return scalar keys %objects }

sub release {
    my ($number, $times) = @_;
    return unless is_held($number) && ($sendings{$number} -= $times) <= 0;
    my $held = delete $objects{$number};
    delete $sendings{$number};
    delete $numbers{Scalar::Util::refaddr($held->[0])} if @$held == 1;
}

# Something of another session: called as a function, its members as of a hash, its methods with ->.
package Meta::Handle;
use overload '&{}' => sub { my $self = $_[0]; sub { Meta::Handle::invoke($self, undef, @_) } }, '%{}' => \&members,
    '""' => sub { record($_[0])->{repr} }, 'bool' => sub { 1 }, '==' => \&same, '!=' => sub { !same(@_) },
    'eq' => sub { "$_[0]" eq "$_[1]" }, fallback => 1;
my %records;

sub new {
    my ($record) = @_;
    my $self = bless \(my $empty), __PACKAGE__;
    $records{Scalar::Util::refaddr($self)} = {%$record, received => 0};
    return $self;
}

sub record { return $records{Scalar::Util::refaddr($_[0])} }
sub members { tie my %members, 'Meta::Members', $_[0]; return \%members }

sub invoke {
    my ($self, $method, @all) = @_;
    return Meta::Kernel::ask('call', '', [\@all, {}], of => $self, path => [defined $method ? $method : ()]);
}

sub get { my ($self, @path) = @_; return Meta::Kernel::ask('get', '', undef, of => $self, path => \@path, empty => 1) }
sub put { my ($self, $name, $value) = @_; return Meta::Kernel::ask('set', '', $value, of => $self, path => [$name]) }
sub same { return ref $_[1] && Scalar::Util::refaddr($_[0]) == Scalar::Util::refaddr($_[1]) ? 1 : '' }

our $AUTOLOAD;
sub AUTOLOAD { my ($self, @all) = @_; my ($method) = $AUTOLOAD =~ /(\w+)\z/; return invoke($self, $method, @all) }
sub can { my ($self, $name) = @_; return UNIVERSAL::can($self, $name) }

sub DESTROY {
    my ($self) = @_;
    my $record = delete $records{Scalar::Util::refaddr($self)} or return;
    Meta::Kernel::forget($record) unless ${^GLOBAL_PHASE} eq 'DESTRUCT';
}

package Meta::Members;
sub TIEHASH { my ($class, $handle) = @_; return bless [$handle], $class }
sub FETCH { return Meta::Handle::get($_[0][0], $_[1]) }
sub STORE { my ($self, $name, $value) = @_; Meta::Handle::put($self->[0], $name, $value) }
sub EXISTS { return eval { Meta::Handle::get($_[0][0], $_[1]); 1 } ? 1 : '' }
sub FIRSTKEY { return undef }
sub NEXTKEY { return undef }

Meta::Kernel::main();
