# The least a bash kernel can do for a call: read a frame, take its netstrings apart, run the command, print a reply.
LC_ALL=C

fields=()
split() {
    local text=$1 size
    fields=()
    while [ -n "$text" ]; do
        size=${text%%:*}
        fields+=("${text:${#size}+1:size}")
        text=${text:${#size}+size+2}
    done
}

while IFS= read -r -N 16 -u 3 sizes; do
    IFS= read -r -N $((16#${sizes:0:8})) -u 3 header || exit
    IFS= read -r -N $((16#${sizes:8:8})) -u 3 body || exit
    split "$header"
    id=${fields[3]}
    split "$body"
    "${fields[@]}" >/dev/null
    answer="2:op,3:ret,2:re,${#id}:$id,6:status,1:$?,"
    printf '%08x%08x%s' "${#answer}" 0 "$answer" >&3
done
