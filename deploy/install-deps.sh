#!/bin/sh
# Installs what plimsoll needs and this machine lacks. Says nothing when nothing is missing.
#
#   deploy/install-deps.sh run     a linker for Rust, a Redis or Valkey server
#   deploy/install-deps.sh test    also rustfmt, clippy, a Chromium, Prometheus, xmllint, and Python with hdrhistogram in target/venv
#
# No service is enabled or configured. Debian's and Ubuntu's server package starts one by itself, on loopback port 6379;
# plimsoll does not use it, its private servers live on ports of their own. So does their Prometheus, on all interfaces;
# that one is stopped again when this script has installed it.
set -eu

cd "$(dirname "$0")/.."

say() {
    printf 'plimsoll: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Whether one of the commands exists.
have() {
    for command in "$@"; do
        if command -v "$command" >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    elif have doas; then
        doas "$@"
    else
        die "not root and no sudo; run this as root and try again: $*"
    fi
}

for manager in apt-get dnf apk pacman brew none; do
    if have "$manager"; then
        break
    fi
done

refreshed=false
refresh() {
    if [ "$refreshed" = false ]; then
        refreshed=true
        case $manager in
        # A repository that cannot be reached is only a problem if it is the one that is needed.
        apt-get) as_root apt-get update -qq || say "apt-get update failed; trying with the lists that are there" ;;
        pacman) as_root pacman -Sy --noconfirm >&2 ;;
        esac
    fi
}

install() {
    say "installing $* with $manager"
    refresh
    case $manager in
    apt-get) as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ;;
    dnf) as_root dnf install -y -q "$@" >&2 ;;
    apk) as_root apk add -q "$@" >&2 ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" >&2 ;;
    brew) brew install --quiet "$@" >&2 ;;
    *) return 1 ;;
    esac
}

# install_one_of WHAT PACKAGE...: the first package that can be had; each may be several words.
install_one_of() {
    what=$1
    shift
    if [ "$manager" = none ]; then
        die "$what is missing, and none of apt-get, dnf, apk, pacman and brew is here to install it; install it yourself"
    fi
    for packages in "$@"; do
        # shellcheck disable=SC2086 # several words are several packages
        if install $packages; then
            return 0
        fi
    done
    die "$what is missing and could not be installed with $manager; see its messages above"
}

rust() {
    have cargo || die "Rust is missing; install it from https://rustup.rs and try again"
    if ! have cc gcc clang; then
        case $manager in
        apt-get) install_one_of "a linker" "gcc libc6-dev" ;;
        apk) install_one_of "a linker" "gcc musl-dev" ;;
        brew) die "a linker is missing; run: xcode-select --install" ;;
        *) install_one_of "a linker" gcc ;;
        esac
    fi
}

server() {
    if have redis-server valkey-server; then
        return
    fi
    case $manager in
    apt-get) install_one_of "a Redis or Valkey server" redis-server valkey-server ;;
    dnf) install_one_of "a Redis or Valkey server" valkey redis ;;
    apk) install_one_of "a Redis or Valkey server" redis valkey ;;
    pacman) install_one_of "a Redis or Valkey server" valkey redis ;;
    *) install_one_of "a Redis or Valkey server" redis valkey ;;
    esac
}

# cargo subcommands that minimal toolchains lack
component() {
    if cargo "$1" --version >/dev/null 2>&1; then
        return
    fi
    have rustup || die "cargo $1 is missing; install it with the package manager that brought cargo"
    say "installing $2 with rustup"
    rustup component add "$2"
}

browser() {
    if have chromium chromium-browser google-chrome google-chrome-stable; then
        return
    fi
    case $manager in
    brew) install_one_of "a Chromium" "--cask chromium" ;;
    apt-get) install_one_of "a Chromium" chromium chromium-browser ;;
    *) install_one_of "a Chromium" chromium ;;
    esac
}

# Prometheus and promtool, to read live metrics with foreign eyes.
prometheus() {
    if have prometheus && have promtool; then
        return
    fi
    case $manager in
    apt-get)
        install_one_of Prometheus prometheus
        # Without systemd nothing was started.
        if have systemctl; then
            as_root systemctl disable --now --quiet prometheus >/dev/null 2>&1 || true
        fi
        ;;
    dnf) install_one_of Prometheus golang-github-prometheus prometheus ;;
    *) install_one_of Prometheus prometheus ;;
    esac
}

# xmllint, to hold JUnit XML against the schema of those who read it.
xmllint() {
    if have xmllint; then
        return
    fi
    case $manager in
    apt-get) install_one_of xmllint libxml2-utils ;;
    dnf) install_one_of xmllint libxml2 ;;
    apk) install_one_of xmllint libxml2-utils ;;
    *) install_one_of xmllint libxml2 ;;
    esac
}

# The reference implementation of HdrHistogram for Python, to read the histogram log with foreign eyes.
python() {
    if target/venv/bin/python -c 'import hdrh' 2>/dev/null; then
        return
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        case $manager in
        apt-get) install_one_of "Python with venv" "python3 python3-venv" ;;
        apk) install_one_of "Python with venv" "python3 py3-pip" ;;
        pacman) install_one_of "Python with venv" python ;;
        *) install_one_of "Python with venv" python3 ;;
        esac
    fi
    say "installing hdrhistogram into target/venv with pip"
    python3 -m venv --clear target/venv
    target/venv/bin/pip install --quiet --disable-pip-version-check hdrhistogram >&2
}

case ${1-} in
run)
    rust
    server
    ;;
test)
    rust
    server
    component fmt rustfmt
    component clippy clippy
    browser
    prometheus
    xmllint
    python
    ;;
*) die "usage: $0 run|test" ;;
esac
