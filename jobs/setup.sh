#!/bin/sh
# Install what building and testing coppice needs (Debian, Ubuntu), or say what to load elsewhere.
#   jobs/setup.sh                                  install what is missing
#   jobs/setup.sh --check MPICC PKG_CONFIG PKG...  only report what is missing; status 1 if anything is
set -u
apt_names="gcc make pkg-config openmpi-bin libopenmpi-dev libhdf5-dev libopenblas-dev libinih-dev
librandom123-dev libjansson-dev libpng-dev libssl-dev zlib1g-dev libgsl-dev libcmocka-dev python3 python3-h5py python3-numpy"

advice() {
    cat >&2 <<'TXT'
coppice needs: a C compiler, GNU make, pkg-config, Open MPI (or another MPI-3), HDF5 (C library, serial is enough),
OpenBLAS, inih, Random123 (headers), Jansson, libpng, OpenSSL (libcrypto), zlib, GSL;
for the tests also cmocka and python3 with h5py and numpy; for figures, if wanted, gnuplot (when coppice runs).
  Debian, Ubuntu   make setup        (apt; uses sudo when you are not root)
  Fedora, RHEL     dnf install gcc make pkgconf openmpi-devel hdf5-devel openblas-devel inih-devel Random123-devel \
                     jansson-devel libpng-devel openssl-devel zlib-devel gsl-devel libcmocka-devel python3-h5py python3-numpy
                   module load mpi/openmpi-x86_64
  modules          module load gcc openmpi hdf5 openblas
                   (inih, Random123, Jansson, cmocka: from Spack below where the site lacks them)
  Spack            spack install openmpi hdf5~mpi openblas inih random123 jansson libpng openssl zlib gsl cmocka py-h5py
                   spack load openmpi hdf5 openblas inih random123 jansson libpng openssl zlib gsl cmocka py-h5py
TXT
}

if [ "${1:-}" = --check ]; then
    mpicc=$2 pkg_config=$3
    shift 3
    missing=
    command -v "$mpicc" >/dev/null 2>&1 || missing="$missing $mpicc"
    if command -v "$pkg_config" >/dev/null 2>&1; then
        for p in "$@"; do "$pkg_config" --exists "$p" || missing="$missing $p"; done
    else
        missing="$missing $pkg_config"
    fi
    [ -z "$missing" ] && exit 0
    echo "missing:$missing" >&2
    advice
    exit 1
fi

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    # not Debian: what is loaded (modules, Spack) must do; say what is missing, if anything
    "$0" --check "${MPICC:-mpicc}" "${PKG_CONFIG:-pkg-config}" jansson libpng inih libcrypto zlib gsl
    exit $?
fi
missing=
for p in $apt_names; do
    # another build of the same library serves as well (HDF5 with MPI, another OpenBLAS threading)
    dpkg-query -W -f='${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "these packages are missing and there is no sudo: as root, run: apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # a list of words
if ! { $sudo apt-get update &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install:$missing (the lines above say why)" >&2
    exit 1
fi
