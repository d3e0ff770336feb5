# What a build from other people's sources needs: an APT of its own beside the system's, files checked against a pinned
# hash before anything reads them, and result folders named after all that went into them. To be sourced by bash after
# setup.sh.
#
# Environment it reads, with a default:
#   R3E_DEBIAN_MIRROR            where Debian is              http://deb.debian.org/debian
#   R3E_DEBIAN_SECURITY_MIRROR   where its security fixes are http://deb.debian.org/debian-security
#
# A mirror needs no trust: APT checks what comes from it against Debian's keys.

R3E_DOWNLOADS_DIR="$R3E_CACHE_DIR/downloads"
R3E_APT_DIR="$R3E_CACHE_DIR/apt"
R3E_DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# What the functions below call.
R3E_SOURCES_PACKAGES="
$R3E_DEBIAN_KEYRING|debian-archive-keyring|the keys that Debian signs with
dpkg-deb|dpkg|unpacking Debian packages
xz|xz-utils|unpacking sources
patch|patch|changing sources
"

# r3e_key: a name for what stands on standard input, the same for the same text alone.
r3e_key() { sha256sum | cut -c 1-16; }

# r3e_has_sha256 FILE SHA256: whether the file is there with this hash.
r3e_has_sha256() {
    [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$2" ]
}

# r3e_apt COMMAND...: apt-get or apt-cache on package lists of its own, whatever the system's APT is set up for.
r3e_apt() {
    local command="$1"
    shift
    "$command" -q \
        -o "Dir::Etc::SourceList=$R3E_APT_DIR/debian.sources" \
        -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null \
        -o "Dir::State=$R3E_APT_DIR/state" \
        -o Dir::State::Status=/dev/null \
        -o "Dir::Cache=$R3E_APT_DIR/cache" \
        -o "APT::Sandbox::User=$(id -un)" \
        "$@" </dev/null
}

# r3e_apt_update TYPE SUITE...: fetches the lists of packages (TYPE deb) or sources (deb-src) of Debian's suites.
r3e_apt_update() {
    local type="$1" suite mirror
    shift
    mkdir -p "$R3E_APT_DIR/state/lists/partial" "$R3E_APT_DIR/cache/archives/partial"
    for suite in "$@"; do
        case "$suite" in
        *-security) mirror="${R3E_DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}" ;;
        *) mirror="${R3E_DEBIAN_MIRROR:-http://deb.debian.org/debian}" ;;
        esac
        printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: amd64\nSigned-By: %s\n\n' \
            "$type" "$mirror" "$suite" "$R3E_DEBIAN_KEYRING"
    done >"$R3E_APT_DIR/debian.sources"
    r3e_apt apt-get update >/dev/null
}

# r3e_locked FILE: holds a lock until this shell ends, so that two builds of one thing come one after the other.
r3e_locked() {
    mkdir -p "$(dirname "$1")"
    exec {r3e_lock}>"$1"
    flock "$r3e_lock"
}

# r3e_logged LOG COMMAND...: runs it with its output in a file, and shows the end of that where it fails.
r3e_logged() {
    local log="$1"
    shift
    "$@" >>"$log" 2>&1 </dev/null && return 0
    tail -n 40 "$log" >&2
    r3e_die "$1 failed; the whole output is in $log"
}

# r3e_python_package NAME==VERSION: prints the folder of a virtual environment that has this package of PyPI. Needs python3 with venv.
r3e_python_package() {
    local package="$1" kept
    kept="$R3E_DOWNLOADS_DIR/${package%%==*}-$(printf '%s\n' "$package" | r3e_key)"
    if [ ! -e "$kept/installed" ]; then
        python3 -c 'import venv, ensurepip' 2>/dev/null || r3e_die "the module venv of Python is missing: $package is installed by it"
        (
            r3e_locked "$kept.lock"
            # Another may have installed it while this one waited.
            [ ! -e "$kept/installed" ] || exit 0
            r3e_say "installing $package"
            rm -rf "$kept"
            python3 -m venv "$kept"
            "$kept/bin/pip" install --quiet --disable-pip-version-check "$package"
            touch "$kept/installed"
        ) >&2
    fi
    printf '%s\n' "$kept"
}
