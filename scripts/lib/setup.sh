# What every script here needs before it can build: the repository's root, build folders outside it, a Rust
# toolchain that is new enough, and a few Debian packages. To be sourced by bash; it starts no build itself.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"     from scripts/
#   r3e_setup                                           checks and installs, prints only what it had to do
#
# Environment it reads, and exports with a default:
#   CARGO_TARGET_DIR   build products               ~/.cache/r3e/target
#   R3E_TOOLS_DIR      tools that scripts install   ~/.cache/r3e/tools

R3E_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
R3E_CACHE_DIR="$HOME/.cache/r3e"
export R3E_ROOT R3E_CACHE_DIR
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$R3E_CACHE_DIR/target}"
export R3E_TOOLS_DIR="${R3E_TOOLS_DIR:-$R3E_CACHE_DIR/tools}"

# The debug binaries that `cargo build` leaves.
export R3E_BIN_DIR="$CARGO_TARGET_DIR/debug"

# command or file that proves the package is there | Debian package | what for
R3E_DEBIAN_PACKAGES='
cc|gcc|linking Rust programs, the C of aws-lc and of the JavaScript engine
c++|g++|the fuzzing engine
make|make|the build of the JavaScript engine
cmake|cmake|the build of the JavaScript engine
/usr/include/simde/wasm/simd128.h|libsimde-dev|the WebAssembly part of the JavaScript engine
'

# r3e_say TEXT...: a line about what the script does.
r3e_say() { printf '==> %s\n' "$*"; }

# r3e_die TEXT...: ends the script with a reason.
r3e_die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# r3e_as_root COMMAND...: runs it as root, by sudo where we are not root.
r3e_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        r3e_die "this needs root, and there is no sudo: run as root: $*"
    fi
}

# r3e_needs_packages TABLE: installs those Debian packages of a table such as the one above that are missing, and none
# that is there. A pattern may stand for a file: it is there if one such file is.
r3e_needs_packages() {
    local proof package purpose missing=()
    while IFS='|' read -r proof package purpose; do
        [ -n "$proof" ] || continue
        case "$proof" in
        /*) compgen -G "$proof" >/dev/null && continue ;;
        *) command -v "$proof" >/dev/null && continue ;;
        esac
        r3e_say "missing: $package ($purpose)"
        missing+=("$package")
    done <<<"$1"
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        r3e_die "this is no Debian: install the equivalents of ${missing[*]} and run again"
    r3e_say "installing ${missing[*]}"
    r3e_as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null ||
        r3e_die "apt-get update failed"
    r3e_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" </dev/null >/dev/null || r3e_die "could not install ${missing[*]}"
}

# r3e_needs_rust: a toolchain at least as new as the workspace asks for.
r3e_needs_rust() {
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    local wanted have
    wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$R3E_ROOT/Cargo.toml")"
    command -v cargo >/dev/null && command -v rustc >/dev/null ||
        r3e_die "there is no Rust toolchain: install Rust $wanted or newer by rustup (https://rustup.rs), and run again"
    have="$(rustc --version | cut -d ' ' -f 2)"
    [ "$(printf '%s\n' "$wanted" "${have%%-*}" | sort -V | head -n 1)" = "$wanted" ] ||
        r3e_die "Rust $have is too old: this needs $wanted or newer (rustup update stable)"
}

# r3e_needs_component COMMAND COMPONENT: a part of the toolchain, such as `cargo-clippy clippy`.
r3e_needs_component() {
    command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1 && return 0
    command -v rustup >/dev/null || r3e_die "$1 is missing: install the $2 of your Rust toolchain"
    r3e_say "installing the Rust component $2"
    rustup component add "$2" </dev/null || r3e_die "could not install the Rust component $2"
}

# r3e_needs_cargo_tool PACKAGE VERSION: a tool from crates.io, kept in $R3E_TOOLS_DIR and put on the PATH.
r3e_needs_cargo_tool() {
    case ":$PATH:" in
    *":$R3E_TOOLS_DIR/bin:"*) ;;
    *) export PATH="$R3E_TOOLS_DIR/bin:$PATH" ;;
    esac
    local listed
    listed="$(cargo install --list --root "$R3E_TOOLS_DIR" 2>/dev/null | grep -cF "$1 v$2:" || true)"
    [ "$listed" -eq 0 ] || return 0
    r3e_say "installing $1 $2 into $R3E_TOOLS_DIR (once; some minutes)"
    # Away from the repository: its Cargo configuration is for its own builds.
    # It runs for seconds and is compiled once: unoptimised, it is there in half the time.
    (cd "$HOME" && CARGO_TARGET_DIR="$R3E_CACHE_DIR/tools-target" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_DEBUG=false \
        cargo install "$1" --version "$2" --locked --quiet --root "$R3E_TOOLS_DIR" </dev/null) ||
        r3e_die "could not install $1 $2"
    rm -rf "$R3E_CACHE_DIR/tools-target"
}

# r3e_setup: all that a build needs.
r3e_setup() {
    r3e_needs_packages "$R3E_DEBIAN_PACKAGES"
    r3e_needs_rust
    mkdir -p "$CARGO_TARGET_DIR" "$R3E_TOOLS_DIR"
}
