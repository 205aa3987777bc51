# What `edgeinfer flash` must know of a board before it changes anything. POSIX shell; it changes
# nothing itself. Each line that matters begins with "edgeinfer-fact ", since a login may print
# others.
prefix=$1
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

fact() {
    printf 'edgeinfer-fact %s=%s\n' "$1" "$2"
}

fact machine "$(uname -m 2>/dev/null)"
fact bits "$(getconf LONG_BIT 2>/dev/null)"
fact clock "$(date +%s 2>/dev/null)"
fact uid "$(id -u 2>/dev/null)"
fact groups "$(id -Gn 2>/dev/null)"

for file in /etc/os-release /usr/lib/os-release; do
    [ -r "$file" ] && break
done
os_release() {
    # In a separate shell: the file may set any variable.
    (
        unset ID VERSION_ID PRETTY_NAME
        [ -r "$file" ] && . "$file"
        eval "printf '%s' \"\${$1:-}\""
    ) 2>/dev/null
}
fact os_id "$(os_release ID)"
fact os_version "$(os_release VERSION_ID)"
fact os_name "$(os_release PRETTY_NAME)"

if [ -r /proc/device-tree/model ]; then
    fact model "$(tr -d '\000' </proc/device-tree/model)"
fi

# Which instruction set programs have: a 64-bit kernel may carry a 32-bit system.
python=$(PATH=/usr/bin:/bin:/usr/local/bin command -v python3 2>/dev/null)
fact python "$python"
if [ -n "$python" ]; then
    "$python" -I -c '
import os, platform, struct, sys
def fact(name, value):
    print("edgeinfer-fact %s=%s" % (name, value))
fact("python_version", "%d.%d.%d" % sys.version_info[:3])
fact("python_bits", struct.calcsize("P") * 8)
libc, _, version = os.confstr("CS_GNU_LIBC_VERSION").partition(" ") if (
    "CS_GNU_LIBC_VERSION" in os.confstr_names) else ("", "", "")
fact("glibc", version if libc == "glibc" else "")
try:
    import venv
    fact("venv", "yes")
except ImportError:
    fact("venv", "no")
import importlib.util
names = ("numpy", "cv2", "picamera2", "tflite_runtime")
found = [name for name in names if importlib.util.find_spec(name)]
fact("modules", " ".join(found))
' 2>/dev/null
fi

# The nearest folder that is there: the prefix itself comes later.
place=$prefix
while [ ! -d "$place" ]; do
    place=$(dirname "$place")
done
fact free_kib "$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')"
fact writable "$(case ",$(awk -v p="$(df -P "$place" 2>/dev/null | awk 'NR == 2 { print $6 }')" \
    '$2 == p { options = $4 } END { print options }' /proc/mounts 2>/dev/null)," in
    *,ro,*) echo no ;;
    *) echo yes ;;
esac)"

fact systemd "$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 }')"
fact systemd_runs "$([ -d /run/systemd/system ] && echo yes || echo no)"

if [ "$(id -u)" = 0 ]; then
    fact sudo unneeded
elif ! command -v sudo >/dev/null 2>&1; then
    fact sudo absent
elif said=$(sudo -n true 2>&1); then
    fact sudo free
else
    case $said in
    *"not in the sudoers"* | *"not allowed"* | *"may not run"*) fact sudo refused ;;
    *) fact sudo password ;;
    esac
fi

# Whose the folders are that root will work in and run programs from: from / on, and where links
# lead. In a sticky folder, such as /tmp, others cannot touch what is there and root's. $1: a path,
# $2: how many links led there, $3: what of it is on the way.
way() {
    case $1 in /*) ;; *) return 0 ;; esac
    [ "$1" = / ] || way "$(dirname "$1")" "$2" "$1"
    [ -e "$1" ] || [ -h "$1" ] || return 0
    ls -ldn "$1" 2>/dev/null | {
        read -r mode count owner rest
        case $mode in
        l*) writable=no ;;
        ?????????[tT]*) [ -e "$3" ] || [ -h "$3" ] && writable=no || writable=yes ;;
        ?????w* | ????????w*) writable=yes ;;
        *) writable=no ;;
        esac
        if [ "$owner" != 0 ] || [ "$writable" = yes ]; then
            fact unsafe "$owner $mode $1"
        fi
    }
    if [ -h "$1" ] && [ "$2" -lt 40 ]; then
        target=$(readlink "$1")
        case $target in /*) ;; *) target=$(dirname "$1")/$target ;; esac
        way "$target" $(($2 + 1)) "$3"
    fi
}
way "$prefix" 0
for place in "$prefix/releases.pyz" "$prefix"/python "$prefix"/python/*; do
    way "$place" 0
done

fact prefix "$([ -d "$prefix" ] && echo yes || echo no)"
fact pythons "$(ls "$prefix/python" 2>/dev/null | tr '\n' ' ')"
if [ -r "$prefix/releases.pyz" ]; then
    fact agent_sha256 "$(sha256sum "$prefix/releases.pyz" 2>/dev/null | awk '{ print $1 }')"
fi
fact end yes
