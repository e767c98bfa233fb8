#!/usr/bin/env bash
# Runs a command beside ipycam, a camera with RTSP and ONVIF in one device, in a network namespace of their own.
#
# ipycam binds all addresses and the discovery port, so it must not meet this machine's network. The command reaches
#   rtsp://127.0.0.1:8554/video_main   and   http://127.0.0.1:8080/onvif/device_service
# and this script ends with the command's exit code, or 125 when the camera cannot be had. The process namespace
# around both ends every process in it, ffmpeg's too, when this script ends or is killed.
set -euo pipefail

fail() {
    echo "${0##*/}: $*" >&2
    exit 125
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=$root/target/test-venv/bin/python
media=$root/target/test-media/t.mp4

if [[ $# -eq 0 ]]; then
    fail "usage: ${0##*/} COMMAND [ARGUMENT…]"
fi
if [[ ! -x $python || ! -f $media ]]; then
    fail "the test servers are missing: run tests/run, it installs them"
fi

if [[ -z ${CAMHEALTH_RIG_INSIDE:-} ]]; then
    namespace=(unshare --net --pid --fork --kill-child --mount-proc)
    if [[ $(id -u) -ne 0 ]]; then
        namespace+=(--map-root-user)
    fi
    "${namespace[@]}" true || fail "no network namespace can be made: it takes root or user namespaces"
    CAMHEALTH_RIG_INSIDE=1 exec "${namespace[@]}" "$BASH" "${BASH_SOURCE[0]}" "$@"
fi

home=$(mktemp -d)
# The first process of a process namespace must name the signals that shall end it.
trap 'exit 143' TERM INT HUP
trap 'rm -rf "$home"' EXIT

ip link set lo up
# Discovery joins a multicast group and needs a way to it.
ip route add 224.0.0.0/4 dev lo
cat > "$home/camera.json" <<'JSON'
{
    "main_width": 320, "main_height": 240, "main_fps": 15, "main_bitrate": "256K",
    "sub_width": 160, "sub_height": 120, "sub_fps": 15, "sub_bitrate": "64K",
    "hw_accel": "cpu", "show_timestamp": false
}
JSON
(cd "$home" && exec "$python" -m ipycam --config "$home/camera.json" --source "$media" --log-level WARNING) \
    > "$home/log" 2>&1 < /dev/null &
camera=$!

deadline=$((SECONDS + 30))
for port in 8080 8554; do
    until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
        if ! kill -0 "$camera" 2> /dev/null || ((SECONDS > deadline)); then
            cat "$home/log" >&2
            fail "ipycam does not serve port $port"
        fi
        sleep 0.1
    done
done

code=0
"$@" || code=$?
kill "$camera" 2> /dev/null || true
exit "$code"
