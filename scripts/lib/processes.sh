# Programs that a script runs beside itself, in a folder with their logs: started, awaited, stopped by process id. To be
# sourced by bash after setup.sh.
#
#   state=FOLDER                 where the logs go
#   start NAME COMMAND...        runs it; its log is NAME.log, its process id ${process[NAME]}
#   stop NAME                    asks it to end, and waits
#   await SECONDS WHAT COMMAND   tries the command until it succeeds
#   stop_all, all_running, show_logs

state=
declare -A process=()
started=()

# start NAME COMMAND...: runs it in the background with its log in the state folder.
start() {
    local name="$1"
    shift
    # A session of its own: with --keep it outlives this terminal, and Ctrl-C reaches this script first.
    NO_COLOR=1 setsid "$@" >>"$state/$name.log" 2>&1 </dev/null &
    process[$name]="$!"
    started+=("$name")
}

# stop NAME...: in this order; each ends by itself on SIGTERM, within the time that it gives open requests.
stop() {
    local name other rest
    for name in "$@"; do
        kill "${process[$name]}" 2>/dev/null || true
        wait "${process[$name]}" 2>/dev/null || true
        unset "process[$name]"
        rest=()
        for other in "${started[@]}"; do
            [ "$other" = "$name" ] || rest+=("$other")
        done
        started=("${rest[@]}")
    done
}

# The reverse of how they were started.
stop_all() {
    while [ "${#started[@]}" -gt 0 ]; do
        stop "${started[-1]}"
    done
}

# all_running: fails if one of the processes has ended.
all_running() {
    local name
    for name in "${started[@]}"; do
        kill -0 "${process[$name]}" 2>/dev/null || r3e_die "$name should run, and has ended"
    done
}

# await SECONDS WHAT COMMAND...: tries the command until it succeeds.
await() {
    local limit="$1" what="$2" deadline
    shift 2
    deadline=$((SECONDS + limit))
    until "$@" >"$state/last-try.log" 2>&1; do
        all_running
        [ "$SECONDS" -lt "$deadline" ] || r3e_die "$what: not within $limit s"
        sleep 0.1
    done
}

# show_logs: the end of each log, on standard error.
show_logs() {
    local log
    for log in "$state"/*.log; do
        [ -e "$log" ] || continue
        printf -- '--- the end of %s\n' "${log##*/}" >&2
        tail -n 25 "$log" >&2
    done
}
