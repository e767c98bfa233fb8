#!/usr/bin/python3
# One RTSP camera on GStreamer's RTSP server, with the faults that real cameras show.
"""One RTSP camera per process: prints `READY rtsp://…` when it serves and ends when its standard input closes.

One process a camera, because a DESCRIBE that hangs blocks the whole process of GStreamer's server. Each client gets
an encoder of its own, so that a fault starts anew with each session. It runs on the system's Python, which has gi.
"""

import argparse
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PATH = "/stream"
FPS = 15
# A ball moves on its own pace, so the sizes of frames look like those of a street with some traffic.
SOURCE = f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate={FPS}/1"
# I420 is named because jpegenc may else choose a format that rtpjpegpay refuses, and DESCRIBE would hang.
CODECS = {
    "h264": f"x264enc tune=zerolatency speed-preset=ultrafast bitrate=256 key-int-max={FPS} ! rtph264pay",
    "h265": f"x265enc tune=zerolatency speed-preset=ultrafast bitrate=256 key-int-max={FPS} ! h265parse ! rtph265pay",
    "mjpeg": "jpegenc quality=50 ! rtpjpegpay",
    "vp8": f"vp8enc deadline=1 target-bitrate=256000 keyframe-max-dist={FPS} ! rtpvp8pay",
}
PAYLOAD_TYPE = {"h264": 96, "h265": 96, "mjpeg": 26, "vp8": 96}
TRANSPORTS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "both": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
}
ROLE = "viewer"


def main():
    args = arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(args.address)
    server.set_service(str(args.port))
    if args.max_sessions:
        server.get_session_pool().set_max_sessions(args.max_sessions)
    factory = GstRtspServer.RTSPMediaFactory()
    pay = f"{CODECS[args.codec]} name=pay0 pt={PAYLOAD_TYPE[args.codec]}"
    source = SOURCE.replace("pattern=ball", f"pattern={args.pattern}")
    factory.set_launch(f"( {source} ! {pay} )")
    factory.set_protocols(TRANSPORTS[args.transports])
    factory.connect("media-configure", lambda _, media: break_media(media, args))
    if args.user:
        server.set_auth(digest(args.user, args.password))
        factory.add_role_from_structure(role())
    server.get_mount_points().add_factory(PATH, factory)

    loop = GLib.MainLoop()
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on {args.address}:{args.port}")
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, parted, loop)
    say(f"READY rtsp://{args.address}:{server.get_bound_port()}{PATH}")
    loop.run()
    # Pipelines that still run would make an orderly end slow; nobody is left to care.
    os._exit(0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1", help="UDP works on 127.0.0.1 alone")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--codec", choices=CODECS, default="h264")
    parser.add_argument("--user", help="asks for a Digest login")
    parser.add_argument("--password", default="")
    parser.add_argument("--fault", nargs="+", metavar=("NAME", "N"), help="no-media, or freeze-after N frames")
    parser.add_argument("--loss", type=int, default=0, metavar="N", help="drop one in N NAL units")
    parser.add_argument("--pattern", default="ball", help="smpte75 stands still, snow fills its bitrate")
    parser.add_argument("--max-sessions", type=int, default=0, metavar="N", help="0 is without limit")
    parser.add_argument("--transports", choices=TRANSPORTS, default="both")
    args = parser.parse_args()
    args.freeze_after = None
    match args.fault:
        case None:
            pass
        case ["no-media"]:
            args.freeze_after = 0
        case ["freeze-after", frames] if frames.isdigit() and int(frames) > 0:
            args.freeze_after = int(frames)
        case _:
            parser.error("--fault is `no-media` or `freeze-after N`")
    return args


def break_media(media, args):
    """Puts the faults behind the payloader, so that the description and sender reports stay as they are."""
    if args.freeze_after is not None:
        drop_when(media, frozen(args.freeze_after))
    if args.loss:
        pushes = iter(range(1, sys.maxsize))
        drop_when(media, lambda _: next(pushes) % args.loss == 0)


def frozen(frames):
    """Lets the given number of frames pass and then no RTP; says so once, for tests that wait for it."""
    seen, told = set(), []

    def late(info):
        frame = first_buffer(info).pts
        if frame in seen or len(seen) < frames:
            seen.add(frame)
            return False
        if not told:
            told.append(True)
            say("FROZEN")
        return True

    return late


def first_buffer(info):
    return info.get_buffer() if info.type & Gst.PadProbeType.BUFFER else info.get_buffer_list().get(0)


def drop_when(media, wanted):
    """Drops what is wanted on its way out of the RTP session.

    Not sooner: the server answers no PLAY before a buffer waits where the session ends.
    """
    kinds = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST

    def linked(_, after):
        after.add_probe(kinds, lambda _, info: Gst.PadProbeReturn.DROP if wanted(info) else Gst.PadProbeReturn.OK)

    def prepared(media):
        session = media.get_stream(0).get_srcpad().get_peer().get_parent_element()
        session.get_static_pad("send_rtp_src_0").connect("linked", linked)

    media.connect("prepared", prepared)


def digest(user, password):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_digest(user, password, token)
    return auth


def role():
    structure = Gst.Structure.new_empty(ROLE)
    structure.set_value("media.factory.access", True)
    structure.set_value("media.factory.construct", True)
    return structure


def parted(stdin, _, loop):
    """The test is gone: so is the camera."""
    if os.read(stdin, 4096):
        return True
    loop.quit()
    return False


def say(line):
    print(line, flush=True)


if __name__ == "__main__":
    main()
