[[ -n ${__meta_running-} ]] && { builtin eval "$__meta_code"; return; }
# The bash kernel of meta: runs the user's commands in this shell and answers requests.
#
# The line above is how user code runs. It is a sourced file's, so that it is at top level (`declare` makes a global)
# and can be left from any depth by a simulated `return`. This file is therefore sourced once for each request, and
# only its first line is read then.
#
# Messages are frames on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), the header, the
# body, both netstrings `<decimal>:<bytes>,`, as bash has no JSON. Names that start with __meta_ are ours. Builtins are
# called through `builtin`, as a user may define functions of their names.

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
# functions of any depth, until only the kernel's own are left.
__meta_interrupt() {
    [[ -n $__meta_running ]] || builtin return 0
    __meta_interrupted=1
    builtin shopt -s extdebug
    builtin trap __meta_unwind DEBUG
}

__meta_unwind() {
    # The last name is of the function that the loop called, or of the line that runs user code.
    [[ ${FUNCNAME[-1]} == __meta_* ]] || builtin return 2
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
    if [[ -n $__meta_interrupted ]]; then
        builtin trap - DEBUG
        builtin shopt -u extdebug
    fi
    __meta_options=${-//[!aefkuvxCET]/}
    [[ -z $__meta_options ]] || { builtin set "+$__meta_options"; __meta_options=-$__meta_options; }
    if [[ -n $__meta_restore ]]; then
        builtin eval "$__meta_restore"
        __meta_restore=
    fi
    [[ -n $__meta_id ]] || builtin return 0
    if [[ -z $__meta_interrupted ]]; then
        __meta_return "$1"
    else
        __meta_interrupted=
        __meta_fail runtime/interrupted interrupted 130
    fi
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

# ------------------------------------------------------------------------------------------------------------- loop

# Reads a message and does what it says: sets what the loop runs next as __meta_code, or answers at once and leaves it
# empty. Fails at the end of the stream.
__meta_next() {
    # Changing the locale and back costs 10 µs, so it is done once for a message, and not when it is C already.
    [[ ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} == C ]] || builtin local LC_ALL=C
    __meta_read || builtin return 1
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
            [[ -z $__meta_body ]] || __meta_bind "${__meta_values[@]}"
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

__meta_id= __meta_running= __meta_interrupted= __meta_options= __meta_restore= __meta_ended=
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
# Redirecting a group makes bash put the old descriptors aside at 10, 11 and 12, close-on-exec, which it can do in no
# other way: commands of the user do not inherit them, and 3, 4 and 5 are free for `exec 3>log`.
__meta_main='{ __meta_hello; builtin eval "$__meta_loop"; builtin exit 0; } 3<&- 4<&- 5<&-'
__meta_socket=10
exec 5<"${BASH_SOURCE[0]}"
builtin set --
