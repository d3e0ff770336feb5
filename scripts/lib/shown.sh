# Commands shown as a user would type them, and what they must end with. To be sourced by bash after setup.sh.
#
#   step TEXT...                  a line about what comes
#   show COMMAND...               shows a command and runs it, by "${shown_by[@]}"
#   refuses COMMAND...            the command must end with 1
#   without_warning COMMAND...    without the line about the test root
#   flip_last_bit FILE CHANGED    a copy with one bit changed

shown_by=(env)

step() {
    printf '\n'
    r3e_say "$@"
}

# The tools say this each time that they trust a test root, as they should. Here it is shown once.
TEST_ROOT_WARNING='/WARNING: trusting the test root/d'

# without_warning COMMAND...: runs it without that line, and ends as it did.
without_warning() {
    { "$@" 2>&1 1>&3 3>&- | sed "$TEST_ROOT_WARNING" >&2; } 3>&1
}

# show COMMAND...: runs a command, and shows it as a user would type it.
show() {
    local word line=
    for word in "$@"; do
        word="${word#"$R3E_ROOT/"}"
        case "$word" in
        *[!A-Za-z0-9_./:@=-]*) line+=" '$word'" ;;
        *) line+=" $word" ;;
        esac
    done
    printf '\n$%s\n' "$line"
    "${shown_by[@]}" "$@"
}

# refuses COMMAND...: the command must end with 1, which is a refusal; 2 is wrong use or an unreadable file.
refuses() {
    local code=0
    "$@" || code=$?
    [ "$code" -eq 1 ] || r3e_die "this should have been refused (exit code 1), and ended with $code"
}

# flip_last_bit FILE CHANGED
flip_last_bit() {
    local last
    last="$(tail -c 1 "$1" | od -An -tu1 | tr -d ' ')"
    head -c -1 "$1" >"$2"
    # shellcheck disable=SC2059  # the format is the byte
    printf "\\$(printf %03o $((last ^ 1)))" >>"$2"
}
