# The parts of scripts/setup: what is looked for, and how it is installed. Sourced by bash from the repository's root.

swift_minimum=6.2
python_minimum=3.10
node_minimum=18
bash_minimum=5

say() { printf '%s\n' "setup: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

# at_least 6.3.1 6.2: is the first version at least the second?
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

require_program() { type -P "$1" >/dev/null || fail "$1 is missing: install it first (apt-get install $1)"; }

require_swift() {
    local where="https://www.swift.org/install/linux"
    type -P swift >/dev/null || fail "swift is missing: meta needs Swift $swift_minimum or later, see $where"
    local version
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9.]+).*/\1/p' | head -n 1)
    at_least "${version:-0}" "$swift_minimum" ||
        fail "meta needs Swift $swift_minimum or later, found ${version:-none} at $(type -P swift), see $where"
}

has_libedit() { pkg-config --exists libedit 2>/dev/null; }
has_pcre2() { pkg-config --exists libpcre2-8 2>/dev/null; }

# Installing without a question: as root, or by a sudo that asks for no password.
is_root() { [ "$(id -u)" = 0 ]; }
may_install_silently() { type -P apt-get >/dev/null && { is_root || sudo -n true 2>/dev/null; }; }

# install_packages NAME…: installs, or asks on a terminal, or prints the line and ends with status 1.
install_packages() {
    local line="apt-get install -y --no-install-recommends $*"
    type -P apt-get >/dev/null || fail "missing: $* (Debian's names); this machine has no apt-get, install them by hand"
    local -a root=()
    is_root || root=(sudo)
    if ! may_install_silently; then
        type -P sudo >/dev/null || fail "missing; as root, run: $line"
        confirm "sudo $line" || fail "missing; run: sudo $line"
    fi
    say "${root[*]:+${root[*]} }$line"
    refresh_lists "${root[@]}"
    # Debian's own messages are kept for a failure: a quiet setup is one line a step.
    mkdir -p .build
    # shellcheck disable=SC2086
    if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive $line >.build/apt.log 2>&1; then
        tail -n 20 .build/apt.log >&2
        fail "apt-get failed (above; all of it in .build/apt.log)"
    fi
    hash -r
}

# confirm LINE: shows a command and asks on the terminal; no terminal is a no.
confirm() {
    [ -t 2 ] || return 1
    { exec 4<>/dev/tty; } 2>/dev/null || return 1
    printf 'setup: %s\nsetup: run this? [Y/n] ' "$1" >&4
    local answer
    read -r answer <&4 || return 1
    exec 4>&-
    case $answer in "" | [Yy]*) return 0 ;; *) return 1 ;; esac
}

# Package lists older than a day, or none, are fetched once.
refresh_lists() {
    [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ] && return
    mkdir -p .build
    "$@" apt-get update >.build/apt.log 2>&1 || say "apt-get update failed; going on with the lists that are there"
}

# Interpreters for `make run`: worth having, not worth a question; meta says what is missing at first use.
offer_interpreters() {
    local -a missing=()
    type -P python3 >/dev/null || missing+=(python3)
    type -P node >/dev/null || missing+=(nodejs)
    [ ${#missing[@]} -gt 0 ] || return 0
    if may_install_silently; then
        packages+=("${missing[@]}")
    else
        say "not found: ${missing[*]}; meta runs without, their languages need: apt-get install ${missing[*]}"
    fi
}

require_interpreters() {
    type -P python3 >/dev/null || packages+=(python3)
    type -P node >/dev/null || packages+=(nodejs)
    case $1 in
    test) [ -x .venv/bin/python ] || has_venv "$(chosen_python)" || packages+=(python3-venv) ;;
    bench) has_contenders || has_venv "$(measured_python)" || packages+=(python3-venv) ;;
    esac
}

has_venv() { [ -n "$1" ] && "$1" -c 'import venv, ensurepip' 2>/dev/null; }

# The first Python on the PATH, else Debian's, that is new enough; empty when there is none.
chosen_python() {
    local python
    for python in "$(type -P python3)" /usr/bin/python3; do
        [ -x "$python" ] && at_least "$(version_of_python "$python")" "$python_minimum" && echo "$python" && return
    done
    true
}

version_of_python() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || echo 0; }

verify_interpreters() {
    local node
    [ -n "$(chosen_python)" ] || fail "Python $python_minimum or later is needed, found $(version_of_python python3)"
    node=$(node --version 2>/dev/null | tr -d v || true)
    at_least "${node:-0}" "$node_minimum" || fail "Node $node_minimum or later is needed, found ${node:-none}"
    at_least "$BASH_VERSION" "$bash_minimum" || fail "bash $bash_minimum or later is needed, found $BASH_VERSION"
}

# The environment is current when it runs and was made from this very requirements file.
has_environment() { cmp -s Tests/requirements.txt .venv/requirements.txt && .venv/bin/python -c '' 2>/dev/null; }

make_environment() {
    local python
    python=$(chosen_python)
    # Debian's Python has its venv module in a package of its own: when this one lacks it, take the other.
    has_venv "$python" || python=/usr/bin/python3
    say "making .venv with $python from Tests/requirements.txt"
    rm -rf .venv
    "$python" -m venv .venv || fail "$python cannot make a virtual environment"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement Tests/requirements.txt ||
        fail "the tests' packages could not be installed from PyPI (above)"
    cp Tests/requirements.txt .venv/requirements.txt
}

# The bench's Pythons: `peers` has other bridges, `orjson` a quicker JSON. They are current when all was installed.
has_contenders() { has_contender peers && has_contender orjson; }
has_contender() {
    cmp -s "scripts/bench/$1.txt" ".build/$1/requirements.txt" && ".build/$1/bin/python" -c '' 2>/dev/null
}

# The interpreter that the bench measures: Debian's own, else the PATH's.
measured_python() { if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else type -P python3; fi; }

make_contenders() {
    local name
    for name in peers orjson; do
        has_contender "$name" || make_contender "$name"
    done
}

# What cannot be installed is tried again next time; its rows say that it is not there.
make_contender() {
    local folder=.build/$1 line whole=yes
    say "making $folder from scripts/bench/$1.txt"
    rm -rf "$folder"
    "$(measured_python)" -m venv "$folder" || { say "no virtual environment in $folder" && return; }
    while read -r line; do
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$line" ||
            { say "$line could not be installed (above); its rows will say so" && whole=no; }
    done <"scripts/bench/$1.txt"
    [ $whole = no ] || cp "scripts/bench/$1.txt" "$folder/requirements.txt"
}
