#!/bin/sh
# Installs what plimsoll needs and this machine lacks, and names what is missing after that. Says nothing when nothing is
# missing.
#
#   deploy/install-deps.sh run     a linker for Rust, a Redis or Valkey server
#   deploy/install-deps.sh test    also rustfmt, clippy, a Chromium, Prometheus, xmllint, Python with hdrhistogram and kubernetes-validate in target/venv,
#                                  RediSearch at target/redisearch.so, Slurm, Open MPI, faketime, and tools for namespaces
#
# No service is enabled or configured. Debian's and Ubuntu's server package starts one by itself, on loopback port 6379;
# plimsoll does not use it, its private servers live on ports of their own. So does their Prometheus, on all interfaces;
# that one is stopped again when this script has installed it.
#
# `command -v` finds functions as well as programs: no function may have the name of a program.
set -eu

cd "${0%/*}/.."

print_note() {
    printf 'plimsoll: %s\n' "$*" >&2
}

give_up() {
    print_note "$*"
    exit 1
}

# is_there 'NAME|NAME': whether one of the programs exists.
is_there() (
    IFS='|'
    for program in $1; do
        if command -v "$program" >/dev/null 2>&1; then
            exit 0
        fi
    done
    exit 1
)

run_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif is_there sudo; then
        sudo "$@"
    elif is_there doas; then
        doas "$@"
    else
        print_note "not root and no sudo; run this as root: $*"
        return 1
    fi
}

for manager in apt-get dnf apk pacman brew none; do
    if is_there "$manager"; then
        break
    fi
done

refreshed=false
refresh_lists() {
    if [ "$refreshed" = false ]; then
        refreshed=true
        case $manager in
        # A repository that cannot be reached is only a problem if it is the one that is needed.
        apt-get) run_as_root apt-get update -qq || print_note "apt-get update failed; trying with the lists that are there" ;;
        pacman) run_as_root pacman -Sy --noconfirm >&2 || true ;;
        esac
    fi
}

add_packages() {
    print_note "installing $* with $manager"
    refresh_lists
    case $manager in
    apt-get) run_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ;;
    dnf) run_as_root dnf install -y -q "$@" >&2 ;;
    apk) run_as_root apk add -q "$@" >&2 ;;
    pacman) run_as_root pacman -S --needed --noconfirm "$@" >&2 ;;
    brew) brew install --quiet "$@" >&2 ;;
    esac
}

# Tools that are missing after all, a line each.
missing=

# note_missing TOOL ADVICE
note_missing() {
    missing="$missing
$1: $2"
}

# need_tool TOOL PACKAGES...: unless the tool is there, installs the first packages that can be had; each may be several words.
need_tool() {
    tool=$1
    shift
    if is_there "$tool"; then
        return
    fi
    if [ "$manager" != none ]; then
        for packages in "$@"; do
            # shellcheck disable=SC2086 # several words are several packages
            if add_packages $packages; then
                break
            fi
        done
    fi
    is_there "$tool" || note_missing "$tool" "install ${1#--cask }"
}

need_rust() {
    is_there cargo || note_missing cargo "install Rust from https://rustup.rs"
    linker='cc|gcc|clang'
    case $manager in
    apt-get) need_tool "$linker" "gcc libc6-dev" ;;
    apk) need_tool "$linker" "gcc musl-dev" ;;
    brew) is_there "$linker" || note_missing "$linker" "run xcode-select --install" ;;
    *) need_tool "$linker" gcc ;;
    esac
}

need_server() {
    server='redis-server|valkey-server'
    case $manager in
    apt-get) need_tool "$server" redis-server valkey-server ;;
    dnf | pacman) need_tool "$server" valkey redis ;;
    *) need_tool "$server" redis valkey ;;
    esac
}

# need_component NAME COMPONENT: subcommands of cargo that minimal toolchains lack.
need_component() {
    if cargo "$1" --version >/dev/null 2>&1; then
        return
    fi
    if is_there rustup; then
        print_note "installing $2 with rustup"
        rustup component add "$2" >&2 || true
    fi
    cargo "$1" --version >/dev/null 2>&1 || note_missing "cargo $1" "run rustup component add $2, or install it as cargo was"
}

need_browser() {
    browser='chromium|chromium-browser|google-chrome|google-chrome-stable'
    # Where macOS keeps them.
    apps=/Applications
    browser="$browser|$apps/Chromium.app/Contents/MacOS/Chromium|$apps/Google Chrome.app/Contents/MacOS/Google Chrome"
    case $manager in
    brew) need_tool "$browser" "--cask chromium" ;;
    apt-get) need_tool "$browser" chromium chromium-browser ;;
    *) need_tool "$browser" chromium ;;
    esac
}

# Prometheus and promtool, to read live metrics with foreign eyes.
need_prometheus() {
    started=false
    if ! is_there prometheus && [ "$manager" = apt-get ] && is_there systemctl; then
        started=true
    fi
    for tool in prometheus promtool; do
        case $manager in
        dnf) need_tool "$tool" golang-github-prometheus prometheus ;;
        *) need_tool "$tool" prometheus ;;
        esac
    done
    if [ "$started" = true ]; then
        run_as_root systemctl disable --now --quiet prometheus >/dev/null 2>&1 || true
    fi
}

# xmllint, to hold JUnit XML against the schema of those who read it.
need_xmllint() {
    case $manager in
    apt-get | apk) need_tool xmllint libxml2-utils ;;
    *) need_tool xmllint libxml2 ;;
    esac
}

# For Python: the reference implementation of HdrHistogram, to read the histogram log with foreign eyes, and the schemas of Kubernetes.
need_python() {
    python=target/venv/bin/python
    if "$python" -c 'import hdrh, kubernetes_validate' 2>/dev/null; then
        return
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        case $manager in
        apt-get) packages="python3 python3-venv" ;;
        apk) packages="python3 py3-pip" ;;
        pacman) packages=python ;;
        *) packages=python3 ;;
        esac
        # shellcheck disable=SC2086 # several words are several packages
        [ "$manager" = none ] || add_packages $packages || true
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        note_missing "$python" "install $packages"
        return
    fi
    print_note "installing hdrhistogram and kubernetes-validate into target/venv with pip"
    python3 -m venv --clear target/venv &&
        target/venv/bin/pip install --quiet --disable-pip-version-check hdrhistogram kubernetes-validate >&2 ||
        note_missing "$python" "pip could not install hdrhistogram or kubernetes-validate; see its messages above"
}

# RediSearch, a module with commands of its own. Debian and Ubuntu have a package of it; elsewhere it has to be linked by hand.
need_module() {
    module=target/redisearch.so
    if [ -e "$module" ]; then
        return
    fi
    packaged=/usr/lib/redis/modules/redisearch.so
    if [ "$manager" = apt-get ]; then
        add_packages redis-redisearch || true
    fi
    [ ! -e "$packaged" ] || ln -sf "$packaged" "$module" || true
    [ -e "$module" ] || note_missing "$module" "install redis-redisearch, or link the module of RediSearch 1.2 there"
}

# Those that start generators on several machines, and a clock that is wrong.
need_launchers() {
    case $manager in
    apt-get)
        need_tool slurmctld slurmctld
        need_tool slurmd slurmd
        need_tool sinfo slurm-client
        need_tool mpirun openmpi-bin
        need_tool faketime faketime
        ;;
    dnf)
        need_tool slurmctld slurm-slurmctld
        need_tool slurmd slurm-slurmd
        need_tool sinfo slurm
        need_tool mpirun openmpi
        need_tool faketime libfaketime
        ;;
    *)
        # Their packages have no Slurm; brew has another program of that name.
        is_there slurmctld || note_missing slurmctld "install the controller of Slurm"
        is_there slurmd || note_missing slurmd "install the daemon of Slurm"
        is_there sinfo || note_missing sinfo "install the commands of Slurm"
        case $manager in
        brew) need_tool mpirun open-mpi ;;
        *) need_tool mpirun openmpi ;;
        esac
        need_tool faketime libfaketime
        ;;
    esac
}

# Those that make hosts of this machine, each with a network and a name of its own: namespaces of Linux.
need_namespaces() {
    case $manager in
    brew)
        for tool in unshare ip tc hostname; do
            is_there "$tool" || note_missing "$tool" "namespaces are of Linux only: run the tests there"
        done
        ;;
    dnf)
        need_tool unshare util-linux
        need_tool ip iproute
        need_tool tc iproute-tc
        need_tool hostname hostname
        ;;
    pacman)
        need_tool unshare util-linux
        need_tool ip iproute2
        need_tool tc iproute2
        need_tool hostname inetutils
        ;;
    *)
        need_tool unshare util-linux
        need_tool ip iproute2
        need_tool tc iproute2
        need_tool hostname hostname
        ;;
    esac
}

case ${1-} in
run)
    need_rust
    need_server
    ;;
test)
    need_rust
    need_server
    need_component fmt rustfmt
    need_component clippy clippy
    need_browser
    need_prometheus
    need_xmllint
    need_python
    need_module
    need_launchers
    need_namespaces
    ;;
*) give_up "usage: $0 run|test" ;;
esac

if [ -n "$missing" ]; then
    case $manager in
    none) give_up "missing, and none of apt-get, dnf, apk, pacman and brew is here to install it:$missing" ;;
    *) give_up "still missing; see the messages of $manager above:$missing" ;;
    esac
fi
