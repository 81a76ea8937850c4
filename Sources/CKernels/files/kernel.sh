[[ -n ${__meta_running-} ]] && { builtin eval "$__meta_code"; return; }
# The bash kernel of meta: runs the user's commands in this shell and answers requests.
#
# The line above is how user code runs. It is a sourced file's, so that it is at top level (`declare` makes a global)
# and can be left from any depth by a simulated `return`. This file is therefore sourced once for each request, and
# only its first line is read then.
#
# Messages are frames on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), the header, the
# body, both netstrings `<decimal>:<bytes>,`, as bash has no JSON. Names that start with __meta_ are ours; so are the
# functions `meta` and `exit`. Builtins are called through `builtin`, as a user may define functions of their names.
#
# While `meta call …` waits for its answer on descriptor 4, what is asked on its behalf comes there too and is run at
# once, in the process that waits; the state of an outer request is in locals of the functions in between.

# ------------------------------------------------------------------------------------------------------------ hello

__meta_operations='eval call get set status complete'

__meta_hello() {
    builtin local "v=${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}.${BASH_VERSINFO[2]}"
    __meta_fields_of op hello protocol 1.0 language sh version "$v" operations "$__meta_operations" \
        buffers none executable "$BASH"
    __meta_send "$__meta_encoded" ''
}

# ----------------------------------------------------------------------------------------------------------- decode

# The next frame as __meta_header and __meta_body; fails at the end of the stream. Counts are of bytes, so it is to be
# called with the C locale.
__meta_read() {
    # TMOUT would end a wait.
    builtin local TMOUT= counts
    builtin read -r -u "$__meta_socket" -N 16 counts || builtin return 1
    builtin read -r -u "$__meta_socket" -N "$((16#${counts:0:8}))" __meta_header || builtin return 1
    __meta_body=
    [[ ${counts:8} == 00000000 ]] ||
        builtin read -r -u "$__meta_socket" -N "$((16#${counts:8}))" __meta_body
}

# Splits netstrings into the array __meta_values, in the C locale.
__meta_split() {
    builtin local "text=$1" count
    builtin local -i at=0 length=${#text}
    __meta_values=()
    while ((at < length)); do
        count=${text:at:11}
        count=${count%%:*}
        ((at += ${#count} + 1))
        __meta_values+=("${text:at:count}")
        ((at += count + 1))
    done
}

# ----------------------------------------------------------------------------------------------------------- encode

# Joins the arguments to netstrings, as __meta_encoded.
__meta_fields_of() {
    builtin local LC_ALL=C value
    __meta_encoded=
    for value; do __meta_encoded+=${#value}:$value,; done
}

__meta_send() {
    builtin local LC_ALL=C
    builtin printf '%08x%08x%s%s' "${#1}" "${#2}" "$1" "$2" >&"$__meta_socket"
}

# Answers the open request with an exit status; the quick path of every command.
__meta_return() {
    builtin local "header=2:op,3:ret,2:re,${#__meta_id}:$__meta_id,6:status,${#1}:$1,"
    builtin printf '%08x00000000%s' "${#header}" "$header" >&"$__meta_socket"
    __meta_id=
}

# Answers the open request with values and the name of their type.
__meta_return_values() {
    builtin local "type=$1" body
    builtin shift
    __meta_fields_of "$@"
    body=$__meta_encoded
    __meta_fields_of op ret re "$__meta_id" type "$type" status 0
    __meta_send "$__meta_encoded" "$body"
    __meta_id=
}

# Answers the open request with an error: code, message, exit status.
__meta_fail() {
    __meta_fields_of op err re "$__meta_id" code "$1" message "$2" status "$3"
    __meta_send "$__meta_encoded" ''
    __meta_id=
}

# --------------------------------------------------------------------------------------------------------- evaluate

# Ctrl-C. Nothing is armed until it comes: then every further command of the user's code is replaced by a return, in
# functions of any depth, until only the kernel's own are left. While an upcall is open, who it waits for is interrupted
# instead, and the answer tells.
__meta_interrupt() {
    if [[ -z $__meta_running ]]; then
        __meta_pending=1
        builtin return 0
    fi
    __meta_ending=interrupt
    __meta_leave
}

__meta_leave() {
    builtin shopt -s extdebug
    builtin trap __meta_unwind DEBUG
}

__meta_unwind() {
    # The frame above the kernel's own ones: of the function that it called, or of the line that runs user code.
    [[ ${FUNCNAME[-1 - __meta_base]} == __meta_* ]] && builtin return
    # A return is no failure that should end the shell.
    [[ $- != *e* ]] || { builtin set +e; __meta_stops+=e; }
    builtin return 2
}

# Leaves the user's code, not the session, and the status is the request's. Subshells do end.
exit() {
    { builtin local "__meta_given=${1-$?}" "__meta_kept=${-//[!aefkuvxCET]/}"; builtin set +aefkuvxCET; } 2>&-
    if [[ -z $__meta_running || $BASHPID != "$__meta_process" ]]; then builtin exit "$__meta_given"; fi
    if [[ ! $__meta_given =~ ^[-+]?[0-9]+$ ]]; then
        builtin printf 'sh: exit: %s: numeric argument required\n' "$__meta_given" >&2
        __meta_given=2
    fi
    __meta_ending=$((10#${__meta_given#[-+]} & 255))
    [[ $__meta_given != -* ]] || __meta_ending=$((-__meta_ending & 255))
    __meta_stops=$__meta_kept
    __meta_leave
}

# Before user code: its own options, and our trap in case that it set another.
__meta_begin() {
    # On the line of the code's own first, so that its lines keep their numbers.
    [[ -z $__meta_options ]] || __meta_code="builtin set $__meta_options;$__meta_code"
    builtin trap __meta_interrupt INT
    __meta_running=1
}

# After user code: disarms, puts options aside that would disturb the kernel, and answers.
__meta_finish() {
    __meta_running=
    if [[ -n $__meta_ending ]]; then
        builtin trap - DEBUG
        builtin shopt -u extdebug
    fi
    __meta_options=$__meta_stops${-//[!aefkuvxCET]/}
    __meta_stops=
    [[ -z $__meta_options ]] || { builtin set "+$__meta_options"; __meta_options=-$__meta_options; }
    if [[ -n $__meta_restore ]]; then
        builtin eval "$__meta_restore"
        __meta_restore=
    fi
    [[ -n $__meta_id ]] || builtin return 0
    case $__meta_ending in
        '') __meta_return "$1" ;;
        interrupt) __meta_fail runtime/interrupted interrupted 130 ;;
        *) __meta_return "$__meta_ending" ;;
    esac
    __meta_ending=
}

# Sets the named values for one run, and notes how to take them back.
__meta_bind() {
    builtin local __meta_name __meta_declaration
    while (($# > 1)); do
        __meta_name=$1
        if [[ $__meta_name =~ ^[a-zA-Z_][a-zA-Z_0-9]*$ ]]; then
            if [[ -v $__meta_name ]]; then
                builtin local -n "__meta_variable=$__meta_name"
                __meta_declaration=${__meta_variable[*]@A}
                # It is run in a function, where a plain `declare` makes a local.
                __meta_restore+="${__meta_declaration/#declare -/declare -g};"
                [[ ${__meta_variable@a} != *[aA]* ]] || builtin unset -v "$__meta_name"
                builtin unset -n __meta_variable
            else
                __meta_restore+="builtin unset -v $__meta_name;"
            fi
            builtin printf -v "$__meta_name" %s "$2"
        fi
        builtin shift 2
    done
}

__meta_get() {
    if [[ ! $1 =~ ^[a-zA-Z_][a-zA-Z_0-9]*$ || ! -v $1 && -z $(builtin declare -p "$1" 2>&-) ]]; then
        __meta_fail runtime/missing "no variable is called $1" 1
        builtin return
    fi
    builtin local -n "__meta_variable=$1"
    if [[ ${__meta_variable@a} == *[aA]* ]]; then
        __meta_return_values array "${__meta_variable[@]}"
    else
        __meta_return_values text "$__meta_variable"
    fi
}

__meta_set() {
    if [[ $1 =~ ^[a-zA-Z_][a-zA-Z_0-9]*$ ]] && builtin printf -v "$1" %s "$2"; then
        __meta_return 0
    else
        __meta_fail runtime/raised "cannot set $1" 1
    fi
}

# Names of commands, variables or files that go on from the word at the end of the code.
__meta_complete() {
    builtin local "code=${1:0:$2}" word kind=command match
    word=${code##*[[:space:];|&()]}
    [[ ${code%"$word"} =~ [^[:space:]\;\|\&\(][[:space:]]+$ ]] && kind=file
    [[ $word == */* ]] && kind=file
    builtin local -a found
    if [[ $word == \$* ]]; then
        while builtin read -r match; do found+=("\$$match"); done < <(builtin compgen -v -- "${word#?}")
    else
        while builtin read -r match; do found+=("$match"); done < <(builtin compgen -A "$kind" -- "$word")
    fi
    __meta_return_values matches "$(($2 - ${#word}))" "${found[@]}"
}

# ---------------------------------------------------------------------------------------------------------- call up

# `meta call|eval|get|set …`: asks meta, in this process, whichever it is; every other use is of the program `meta`.
# Status 0, and the result on standard output; or a message on standard error and 1, 2 for a wrong use, 130 when
# interrupted, the command's own where a shell command failed.
meta() {
    # What `xtrace` says of our commands is not for the user; what they return is not for `errexit`.
    { builtin local "__meta_options=${-//[!aefkuvxCET]/}" __meta_status; builtin set +aefkuvxCET; } 2>&-
    __meta_options=${__meta_options:+-$__meta_options}
    __meta_request "$@"
    __meta_status=$?
    {
        [[ -z $__meta_options ]] || builtin set "$__meta_options"
        # As if the user's own command had been interrupted.
        if ((__meta_status == 130)); then
            if [[ $BASHPID == "$__meta_process" && -n $__meta_running ]]; then
                __meta_interrupt
                builtin return 0
            fi
            __meta_shielded || builtin kill -INT 0
        fi
        builtin return "$__meta_status"
    } 2>&-
}

__meta_request() {
    builtin local -a __meta_ask __meta_values
    case ${1-} in
        call | eval | get | set) ;;
        *)
            if ! builtin type -P meta >/dev/null; then
                __meta_misuse "the shell asks with call, eval, get or set, got ${1:-nothing}"
                builtin return 2
            fi
            builtin command meta "$@"
            builtin return
            ;;
    esac
    __meta_parse "$@" || builtin return 2
    __meta_upcall || builtin return
    [[ $1 == set || -z ${__meta_values[0]+is} ]] || builtin printf '%s\n' "$__meta_values"
}

__meta_misuse() {
    builtin printf 'meta: %s\n' "$1" >&2
    builtin printf '  %s\n' 'meta call [-j|-b] [--] NAME [ARGUMENT…]' \
        'meta eval [-j|-b] [--] LANGUAGE CODE [NAME=VALUE…]' 'meta get NAME' 'meta set [-j|-b] [--] NAME VALUE' \
        '-j: values are JSON, -: standard input, -b: it is bytes and not text, --: nothing is special' >&2
    builtin return 1
}

# Makes __meta_ask of the command's words: the header's fields of its own (what is asked of whom, and the kind of each
# value) and the body's.
__meta_parse() {
    builtin local operation=$1 kind=t input=s literal= name kinds=
    builtin shift
    while [[ $operation != get && ${1-} == -* ]]; do
        case $1 in
            -j) kind=j ;;
            -b) input=b ;;
            --) literal=1 ;;
            *) __meta_misuse "unknown option $1"; builtin return ;;
        esac
        builtin shift
        [[ -z $literal ]] || builtin break
    done
    case $operation,$# in
        call,0 | eval,[01] | get,0 | set,[01]) __meta_misuse "too few arguments for $operation"; builtin return 1 ;;
        get,1 | set,2 | call,* | eval,*) ;;
        *) __meta_misuse "too many arguments for $operation"; builtin return 1 ;;
    esac
    __meta_ask=("$operation" "$1")
    builtin shift
    if [[ $operation == eval ]]; then
        __meta_value "$1" t || builtin return
        builtin shift
        for name; do
            [[ $name == [a-zA-Z_]*=* ]] || { __meta_misuse "a value is NAME=VALUE, got $name"; builtin return 1; }
            __meta_ask+=("${name%%=*}")
            __meta_value "${name#*=}" "$kind" || builtin return
        done
    else
        for name; do __meta_value "$name" "$kind" || builtin return; done
    fi
    __meta_ask=("${__meta_ask[@]:0:2}" "$kinds" "${__meta_ask[@]:2}")
}

# Adds a value of the command and its kind: t text, j JSON, s standard input as base64, b the same and no text. Bash can
# hold no NUL, so input comes encoded.
__meta_value() {
    if [[ $1 != - || -n $literal ]]; then
        __meta_ask+=("$1")
        kinds+=$2
    else
        __meta_ask+=("$(builtin command -p base64)") || {
            __meta_misuse 'standard input needs the program base64'
            builtin return
        }
        kinds+=$input
    fi
}

# Asks what __meta_ask says and waits: the answer as __meta_values, or a message and a status.
__meta_upcall() {
    # An interrupt that comes from here on is not this process's.
    builtin local __meta_running= __meta_pending= __meta_shield= __meta_before= status=130 key=path
    # Several processes may ask at a time: the number tells which, and when it has died.
    builtin local -i "__meta_number=BASHPID << 20 | (++__meta_upcalls & 0xfffff)"
    if [[ $BASHPID != "$__meta_process" ]] && ! __meta_shielded; then
        __meta_shield=1
        builtin trap __meta_interrupt INT
    fi
    if __meta_turn "$__meta_within" "+$__meta_number" __meta_before; then
        [[ ${__meta_ask[0]} != eval ]] || key=language
        __meta_fields_of "${__meta_ask[@]:3}"
        builtin local "body=$__meta_encoded"
        __meta_fields_of op "${__meta_ask[0]}" id "$__meta_number" "$key" "${__meta_ask[1]}" \
            kinds "${__meta_ask[2]}" for "$__meta_id"
        __meta_socket=$__meta_upward __meta_send "$__meta_encoded" "$body"
        body= __meta_encoded=
        __meta_await
        status=$?
        __meta_turn "+$__meta_number" ''
    fi
    [[ -z $__meta_shield ]] || builtin trap - INT
    builtin return "$status"
}

# Until the answer is there: runs what is asked meanwhile.
__meta_await() {
    builtin local __meta_header __meta_body "__meta_socket=$__meta_upward"
    while __meta_receive; do
        case $__meta_header in
            2:op,3:ret,2:re,${#__meta_number}:$__meta_number,*) builtin return 0 ;;
            2:op,3:err,2:re,${#__meta_number}:$__meta_number,*) __meta_complain; builtin return ;;
            # An answer for a process that has died.
            2:op,3:ret,* | 2:op,3:err,*) ;;
            *) __meta_serve ;;
        esac
    done
    builtin return 1
}

# The next frame, its body as __meta_values.
__meta_receive() {
    builtin local LC_ALL=C
    __meta_read || builtin return 1
    __meta_split "$__meta_body"
}

# Says on standard error what an answer's header says; its status.
__meta_complain() {
    builtin local LC_ALL=C code= message= type= status= at
    __meta_split "$__meta_header"
    for ((at = 0; at + 1 < ${#__meta_values[@]}; at += 2)); do
        case ${__meta_values[at]} in
            code | message | type | status) builtin printf -v "${__meta_values[at]}" %s "${__meta_values[at + 1]}" ;;
        esac
    done
    __meta_values=()
    [[ $code != runtime/interrupted ]] || builtin return 130
    builtin printf 'meta: %s: %s\n' "$code" "${type:+$type: }$message" >&2
    [[ $code == runtime/status && $status == [1-9]* ]] || status=1
    builtin return "$status"
}

# Runs what is asked on an upcall's behalf, with the session's own streams.
__meta_serve() {
    builtin local "__meta_within=-$__meta_number" "__meta_process=$BASHPID" "__meta_base=${#FUNCNAME[@]}" __meta_id= \
        __meta_running= __meta_ending= __meta_stops= __meta_restore= __meta_code __meta_at
    builtin local -a __meta_arguments
    builtin local "__meta_options=$__meta_options"
    __meta_next read
    [[ -n $__meta_code ]] || builtin return 0
    __meta_turn "+$__meta_number" "$__meta_within"
    if [[ $__meta_code == call ]]; then
        __meta_begin && "${__meta_arguments[@]}" <&14 >&15 2>&16
    else
        for ((__meta_at = 0; __meta_at + 1 < ${#__meta_values[@]}; __meta_at += 2)); do
            [[ ${__meta_values[__meta_at]} =~ ^[a-zA-Z_][a-zA-Z_0-9]*$ ]] || builtin continue
            builtin local "${__meta_values[__meta_at]}"
            builtin printf -v "${__meta_values[__meta_at]}" %s "${__meta_values[__meta_at + 1]}"
        done
        __meta_begin
        builtin source /dev/fd/12 <&14 >&15 2>&16
    fi
    builtin set -- "$?"
    __meta_running=
    # What it left running may be reading the socket.
    __meta_turn "$__meta_within" "+$__meta_number"
    { __meta_finish "$1"; } 2>&-
}

# Who reads the upcall socket: the processes of this shell take turns. A pipe holds one record, which is taken, changed and
# put back, in one read and one write: the innermost open upcall and the one around it, `+` one that reads, `-` one that
# waits while it runs what was asked on its behalf. Waits until `from` or nothing is the innermost; `to` takes its place,
# or comes on top of it with the name of a variable that is to keep what was there. Fails when that is interrupted.
__meta_turn() {
    builtin local LC_ALL=C record top under
    while builtin true; do
        # A process that was killed with the record in its hand took it with it.
        builtin read -r -t 10 -u 13 -N 64 record || record=
        top=${record%% *}
        under=${record#* }
        under=${under%% *}
        if [[ -n $top ]] && ! builtin kill -0 "$((${top#?} >> 20))" 2>&-; then
            top=$under under=
        fi
        [[ -n $top && $top != "$1" ]] || builtin break
        builtin printf '%-64s' "$top $under" >&13
        [[ -z ${3-} || -z $__meta_pending ]] || builtin return 1
        # A nap: nobody writes to this.
        builtin read -r -t 0.02 <> <(:)
    done
    if [[ -n ${3-} ]]; then
        builtin printf -v "$3" %s "$top $under"
        builtin printf '%-64s' "$2 $top" >&13
    elif [[ -n $2 ]]; then
        builtin printf '%-64s' "$2 $under" >&13
    else
        builtin printf '%-64s' "$__meta_before" >&13
    fi
}

# Whether this process ignores interrupts: a job in the background.
__meta_shielded() {
    builtin local key mask=0
    while builtin read -r key mask && [[ $key != SigIgn: ]]; do :; done </proc/self/status
    (((16#${mask:-0} & 2) != 0))
} 2>&-

# ------------------------------------------------------------------------------------------------------------- loop

# Reads a message (not where an argument says that it has been read) and does what it says: sets what the loop runs next
# as __meta_code, or answers at once and leaves it empty. Fails at the end of the stream.
__meta_next() {
    # Changing the locale and back costs 10 µs, so it is done once for a message, and not when it is C already.
    [[ ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} == C ]] || builtin local LC_ALL=C
    (($#)) || __meta_read || builtin return 1
    __meta_code=
    __meta_values=()
    [[ -z $__meta_body ]] || __meta_split "$__meta_body"
    # Commands are taken apart by patterns: going through all fields in a loop costs 90 µs.
    builtin local __meta_rest= __meta_count
    case $__meta_header in
        2:op,4:eval,2:id,*,4:code,*) __meta_rest=${__meta_header#*,2:id,*:} ;;
        2:op,4:call,2:id,*,4:path,*) __meta_rest=${__meta_header#*,2:id,*:} ;;
    esac
    __meta_id=${__meta_rest%%,*}
    __meta_rest=${__meta_rest#*,4:????,}
    __meta_count=${__meta_rest%%:*}
    __meta_rest=${__meta_rest#*:}
    case $__meta_header in
        2:op,4:eval,*)
            # Inside of other user code they are locals.
            [[ -z $__meta_body || -n $__meta_within ]] || __meta_bind "${__meta_values[@]}"
            # Not empty even for no code at all, so that it is answered.
            __meta_code=${__meta_rest:0:__meta_count}$'\n'
            ;;
        2:op,4:call,*)
            __meta_arguments=("${__meta_rest:0:__meta_count}" "${__meta_values[@]}")
            # A command is run where it stands. What runs text, or returns, wants the line that can be left.
            case $__meta_options${__meta_arguments[0]} in
                -* | . | source | eval | builtin | command | return) __meta_code='"${__meta_arguments[@]}"' ;;
                *) __meta_code=call ;;
            esac
            ;;
        *) __meta_answer ;;
    esac
}

# Answers what runs no user code.
__meta_answer() {
    builtin local -A __meta_field
    builtin local -i __meta_at
    builtin local -a __meta_sent
    __meta_sent=("${__meta_values[@]}")
    __meta_split "$__meta_header"
    for ((__meta_at = 0; __meta_at + 1 < ${#__meta_values[@]}; __meta_at += 2)); do
        __meta_field[${__meta_values[__meta_at]}]=${__meta_values[__meta_at + 1]}
    done
    __meta_id=${__meta_field[id]-}
    case ${__meta_field[op]-} in
        get) __meta_get "${__meta_field[path]-}" ;;
        set) __meta_set "${__meta_field[path]-}" "${__meta_sent[0]-}" ;;
        complete) __meta_complete "${__meta_field[code]-}" "${__meta_field[cursor]-0}" ;;
        status) __meta_return_values status busy false ;;
        init) COLUMNS=${__meta_field[width]-80} ;;
        *) __meta_fail runtime/unsupported "sh does not support ${__meta_field[op]-}" 1 ;;
    esac
}

__meta_id= __meta_running= __meta_ending= __meta_stops= __meta_options= __meta_restore= __meta_ended= __meta_pending=
__meta_within= __meta_upcalls=0 __meta_base=0 __meta_process=$$
builtin trap __meta_interrupt INT
builtin unset -v BASH_EXECUTION_STRING
# A text, not a function, so that user code is at top level. A stray `continue` of the user's comes to its head, where
# it is answered; a stray `break` ends it, and it begins anew. What `xtrace` says of our commands is not for the user.
__meta_loop='
while [[ -z $__meta_id ]] || __meta_finish 0; __meta_next || { __meta_ended=1; builtin break; }; do
    case $__meta_code in
        "") builtin continue ;;
        call) __meta_begin && "${__meta_arguments[@]}" ;;
        *) __meta_begin; builtin source /dev/fd/12 ;;
    esac;
    { __meta_finish "$?"; } 2>&-;
done;
[[ -n $__meta_ended ]] || builtin eval "$__meta_loop"
'
# A command that is called is on line 1.
__meta_loop=${__meta_loop//$'\n'/ }
# What bash is to run once it has sourced this file; here, what fails would say that it does in this file.
# Redirecting a group makes bash put the old descriptors aside from 10 on, close-on-exec, which it can do in no other way:
# commands of the user do not inherit them, and 3 to 9 are free for `exec 3>log`. 10 are meta's requests, 11 our own, 12
# this file, 13 the pipe of `__meta_turn`, 14 to 16 the session's streams.
__meta_main='{ __meta_hello; builtin eval "$__meta_loop"; builtin exit 0; } 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-'
__meta_socket=10 __meta_upward=11
exec 5<"${BASH_SOURCE[0]}" 7<&0 8>&1 9>&2 6<<<''
# An older bash makes a file of it.
if [[ -p /dev/fd/6 ]]; then exec 6<>/dev/fd/6; else exec 6<> <(builtin printf '\n'); fi
builtin read -r -u 6
builtin printf '%-64s' '' >&6
builtin set --
