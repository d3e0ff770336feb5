# Tests of the workspace, and what is done about one that fails. To be sourced by bash, after setup.sh.
#
#   r3e_tests ARGUMENTS... [-- ARGUMENTS OF THE TESTS...]     as of `cargo test --workspace`
#
# Hundreds of tests start real processes, on whatever machine this is. One that fails beside the others is run once more by
# itself, with nothing beside it. If it fails again, that is a failure. If it passes, it is named: a test that passes only by
# itself has a fault, or what it tests has one; but it does not hold up a change that has nothing to do with it.

# More than these that fail at once are not chance.
R3E_MAX_TESTS_AGAIN=3

r3e_tests() {
    local log names again alone='' code=0
    log="$R3E_CACHE_DIR/tests.log" again="$R3E_CACHE_DIR/tests-again.log"
    cargo test --workspace --no-fail-fast --locked --quiet "$@" 2>&1 | tee "$log" || code=$?
    names="$(r3e_failed_tests <"$log")"
    # shellcheck disable=SC2086 # One name is one word.
    if [ "$code" -ne 0 ] && [ -n "$names" ]; then
        r3e_say "once more, each by itself:" $names
        cp "$log" "$R3E_CACHE_DIR/tests-failed.log"
        code=0
        r3e_tests_by_name "$names" "$@" 2>&1 | tee "$again" || code=$?
        # A name that no test has any more would pass by not being run.
        if [ "$code" -eq 0 ] && [ "$(r3e_count passed <"$again")" -ge "$(wc -w <<<"$names")" ]; then
            printf 'passes only by itself: %s\n' $names
            alone=', each of which passed by itself'
        else
            code=1
        fi
    fi
    printf 'tests: %d passed, %d failed%s\n' "$(r3e_count passed <"$log")" "$(r3e_count failed <"$log")" "$alone"
    return "$code"
}

# The names of the tests that failed, one a line. None where there are too many, or where not all of them have one: a target did
# not compile, or a process was killed or ended by itself. None either where one of random inputs failed: others would pass.
r3e_failed_tests() {
    awk -v most="$R3E_MAX_TESTS_AGAIN" '
        /^failures:$/ { listed = 1; next }
        /^test result: / { listed = 0; failed += $6; next }
        listed && /^    [A-Za-z0-9_:]+$/ { if (!($1 in seen)) { seen[$1]; names[++found] = $1 } }
        /^error: could not |\(signal: |minimal failing input|Test failed: / { unnamed = 1 }
        /\(exit status: / && !/\(exit status: 101\)/ { unnamed = 1 }
        END { if (!unnamed && found == failed && found <= most) for (n = 1; n <= found; n++) print names[n] }'
}

# Their number, passed or failed, in what `cargo test` said.
r3e_count() {
    awk -v what="$1" '/^test result: / { passed += $4; failed += $6 } END { print what == "passed" ? passed + 0 : failed + 0 }'
}

# r3e_tests_by_name NAMES ARGUMENTS...: those tests alone, one after the other, out of what the arguments name.
r3e_tests_by_name() {
    local names="$1" before=() after=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        before+=("$1")
        shift
    done
    [ $# -eq 0 ] || after=("${@:2}")
    # shellcheck disable=SC2086 # One name is one word.
    RUST_TEST_THREADS=1 cargo test --workspace --no-fail-fast --locked --quiet "${before[@]}" -- "${after[@]}" --exact $names
}
