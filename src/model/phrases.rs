//! What details say, Vietnamese and English: for each phrase its name in JSON and its two templates, in which `{0}`,
//! `{1}` and so on are the places of what it speaks of.
//!
//! The names are those of journals: one that changes keeps its old one after `|`. RTSP, ONVIF and the names of requests
//! stay as they are in both languages, and numbers keep their point, since they are readings.

use super::{closed::closed, worded};

macro_rules! phrases {
    ($($variant:ident $name:tt $(| $earlier:tt)* => $vietnamese:literal, $english:literal;)*) => {
        closed! {
            /// What a detail says, without what it says it of.
            pub enum Phrase {
                $(#[doc = $english] $variant $name $(| $earlier)*,)*
            }
        }

        worded!(Phrase::template { $($variant => $vietnamese, $english;)* });

        impl Phrase {
            /// How many things it speaks of.
            pub const fn places(self) -> usize {
                const PLACES: [usize; Phrase::ALL.len()] = [$(places($english)),*];
                PLACES[self as usize]
            }
        }
    };
}

/// How many places a template has: one more than the highest of their numbers.
const fn places(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut at, mut places) = (0, 0);
    while at + 2 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 2] == b'}' {
            let place = bytes[at + 1].wrapping_sub(b'0') as usize + 1;
            if place > places {
                places = place;
            }
        }
        at += 1;
    }
    places
}

phrases! {
    // Text that has no language: names, what a device says, what earlier versions wrote.
    Plain "plain" => "{0}", "{0}";

    // What a source says of a camera that nobody of ours looks at.
    SourceSaysDead "source_says_dead" => "nguồn tin {0} báo camera không hoạt động", "{0}, a source, says that it does not work";
    CounterStands "counter_stands" => "số đếm ở nguồn tin {0} đứng yên ở {1}", "the counter at {0}, a source, stands still at {1}";

    // The first rungs: an address, a port, `OPTIONS`.
    NoHost "no_host" => "địa chỉ không có tên máy", "the URL names no host";
    Nameless "nameless" => "không tìm thấy địa chỉ của {0}", "{0} has no address";
    NoIp "no_ip" => "không có địa chỉ", "no address";
    Accepts "accepts" => "{0} nhận kết nối", "{0} accepts connections";
    AcceptedNone "accepted_none" => "{0} không nhận kết nối trong {1}", "{0} did not accept a connection within {1}";
    NoSecond "no_second" => "{0} không nhận kết nối thứ hai trong {1}", "{0} accepts no second connection within {1}";
    Refuses "refuses" => "{0} từ chối kết nối: thiết bị vẫn bật, cổng đóng", "{0} refuses connections: the host is there, the port is closed";
    Unanswering "unanswering" => "{0} không trả lời", "{0} did not answer";
    NoWay "no_way" => "không có đường tới {0}: {1}", "no way to {0}: {1}";
    NoSocket "no_socket" => "máy giám sát không còn kết nối nào để kiểm tra (bộ mô tả tệp, bộ nhớ hoặc cổng nội bộ)", "this machine had no socket left to ask with (descriptors, memory or local ports)";
    OpenAndSilent "open_and_silent" => "cổng mở nhưng không nhận được gì trong {0}", "the port is open, but nothing came within {0}";
    HalfAnswer "half_answer" => "không nhận được phản hồi trọn vẹn trong {0}, chỉ có {1} byte", "no whole answer within {0}, only {1} bytes";
    ClosedUnanswered "closed_unanswered" => "camera đóng kết nối mà không trả lời", "the camera closed the connection without an answer";
    RtspAnswers "rtsp_answers" => "máy chủ RTSP trả lời, trạng thái {0}", "an RTSP server answers, status {0}";
    SpeaksNoRtsp "speaks_no_rtsp" => "thiết bị trả lời ở đó không dùng RTSP", "what answers there does not speak RTSP";
    ClaimsTooMuch "claims_too_much" => "phản hồi khai báo dung lượng lớn bất thường", "the answer claims more than an honest one holds";
    Broke "broke" => "kết nối bị đứt: {0}", "the connection broke: {0}";

    // How a connection failed, as the system says it.
    HostUnreachable "host_unreachable" => "không tới được máy", "host unreachable";
    NetworkUnreachable "network_unreachable" => "không tới được mạng", "network unreachable";
    NetworkDown "network_down" => "mạng không hoạt động", "network down";
    ConnectionReset "connection_reset" => "kết nối bị đặt lại", "connection reset";
    ConnectionAborted "connection_aborted" => "kết nối bị hủy", "connection aborted";
    ConnectionRefused "connection_refused" => "kết nối bị từ chối", "connection refused";
    NotConnected "not_connected" => "chưa kết nối", "not connected";
    BrokenPipe "broken_pipe" => "đầu bên kia đã đóng", "broken pipe";
    TimedOut "timed_out" => "quá thời gian chờ", "timed out";
    EndedEarly "ended_early" => "dữ liệu kết thúc giữa chừng", "unexpected end of file";
    NotPermitted "not_permitted" => "không được phép", "permission denied";
    AddressInUse "address_in_use" => "địa chỉ đang được dùng", "address in use";

    // Requests over RTSP, and logins.
    NoAnswerTo "no_answer_to" => "không có phản hồi cho {0} trong {1}", "no answer to {0} within {1}";
    ClosedDuring "closed_during" => "camera đóng kết nối giữa chừng {0}", "the camera closed the connection during {0}";
    AnswerIsNoRtsp "answer_is_no_rtsp" => "phản hồi cho {0} không phải là RTSP", "the answer to {0} is no RTSP";
    AnswerClaimsTooMuch "answer_claims_too_much" => "phản hồi cho {0} khai báo dung lượng lớn bất thường", "the answer to {0} claims more than an honest one holds";
    StatusTo "status_to" => "{1} bị trả lời trạng thái {0}", "status {0} to {1}";
    OutsideStandard "outside_standard" => "phản hồi cho {0} (trạng thái {1}) không đúng chuẩn", "the answer to {0} (status {1}) is not as the standard wants it";
    NoSuchStream "no_such_stream" => "camera không có luồng hình ở đường dẫn này (trạng thái 404)", "the camera knows no stream at this path (status 404)";
    SessionsTaken "sessions_taken" => "camera đã hết lượt kết nối (trạng thái {0} cho {1})", "all sessions of the camera are taken (status {0} to {1})";
    Redirected "redirected" => "camera chỉ sang địa chỉ khác {0}, không đi theo", "the camera names another address {0}, which is not followed";
    RetinaCannot "retina_cannot" => "retina không dùng được phản hồi cho {0}", "retina cannot use the answer to {0}";
    ByRetina "by_retina" => "{0}, bằng retina", "{0}, by retina";
    LoginGood "login_good" => "đăng nhập được ({0})", "the login is good ({0})";
    LoginUnasked "login_unasked" => "camera không đòi đăng nhập", "the camera wants no login";
    LoginMissing "login_missing" => "camera đòi đăng nhập mà cấu hình không có tài khoản", "the camera asks for a login and the configuration names none";
    LoginRejected "login_rejected" => "camera từ chối đăng nhập (trạng thái {0} cho {1})", "the camera rejects the login (status {0} to {1})";
    LoginAlwaysStale "login_always_stale" => "camera coi mọi nonce là đã cũ ngay lập tức: tài khoản này không bao giờ đăng nhập được", "the camera calls each nonce stale at once: it lets this login in by none";
    LoginInClear "login_in_clear" => "camera đòi mật khẩu không mã hóa (Basic) mà allow_basic không cho phép: mật khẩu không được gửi", "the camera wants the password in clear (Basic), which allow_basic does not allow: it was not sent";
    LoginStrange "login_strange" => "camera đòi đăng nhập theo cách không hiểu được", "the camera asks for a login in a way that is not understood";
    LoginLimited "login_limited" => "tài khoản vừa đăng nhập được thì bị từ chối: hết lượt kết nối, hoặc không có quyền xem", "the login that was good a moment ago is refused: no connection is left, or it may not watch";
    LoginGoodBefore "login_good_before" => "{0}; trước đây tài khoản này đăng nhập được", "{0}; this login was good before";
    DigestBefore "digest_before" => "{0}; trước đây camera dùng Digest: hãy xem thiết bị nào đang trả lời", "{0}; it took Digest before: see who answers there";
    DigestToBasic "digest_to_basic" => "trước đây camera dùng Digest, nay mật khẩu được gửi tới nó không mã hóa (Basic)", "it took Digest before, and the password goes to it in clear (Basic) now";
    TlsMissing "tls_missing" => "không dùng được TLS", "TLS is not available";
    SpeaksNoTls "speaks_no_tls" => "thiết bị trả lời ở cổng này không dùng TLS", "what answers at this port does not speak TLS";
    CertificateUnnamed "certificate_unnamed" => "chứng thư của camera là {0}, cấu hình không ghi chứng thư nào", "its certificate is {0}, the configuration names none";
    CertificateOther "certificate_other" => "chứng thư của camera là {0}, cấu hình ghi chứng thư khác", "its certificate is {0}, the configuration names another";

    // Descriptions and sessions.
    OneStreamIn "one_stream_in" => "1 luồng, hình {0}", "1 stream, video in {0}";
    StreamsIn "streams_in" => "{0} luồng, hình {1}", "{0} streams, video in {1}";
    OneStream "one_stream" => "1 luồng", "1 stream";
    Streams "streams" => "{0} luồng", "{0} streams";
    OffersNoVideo "offers_no_video" => "bản mô tả không có luồng hình", "the description offers no video";
    OffersNothing "offers_nothing" => "bản mô tả không có luồng hình, không có gì", "the description offers no video, nothing";
    OffersOnly "offers_only" => "bản mô tả không có luồng hình, chỉ có {0}", "the description offers no video, only {0}";
    VideoOver "video_over" => "hình qua {0}", "video over {0}";
    TransportRefused "transport_refused" => "camera từ chối cách truyền này (461); hãy thử transport = \"{0}\"", "the camera refuses this transport (461); try transport = \"{0}\"";
    NoUdpPort "no_udp_port" => "không có cổng UDP: {0}", "no UDP port: {0}";
    NoUdpPair "no_udp_pair" => "không còn hai cổng UDP liền nhau", "no two UDP ports next to each other are free";
    Granted "granted" => "được chấp nhận", "granted";
    TornDown "torn_down" => "đã đóng phiên", "session closed";
    TornDownUnheard "torn_down_unheard" => "camera không xác nhận; kết nối đã đóng", "not confirmed; the connection is closed";

    // Media.
    Frames "frames" => "{0} khung hình{1}{2}", "{0} frames{1}{2}";
    AndKeyframes "and_keyframes" => ", {0} khung hình chính", ", {0} keyframes";
    AndRate "and_rate" => ", {0} hình/giây", ", {0} frames/s";
    NoVideoCame "no_video_came" => "PLAY được chấp nhận, nhưng không có hình về trong {0} giây", "PLAY was granted, but no video came in {0} s";
    EndedBeforeVideo "ended_before_video" => "PLAY được chấp nhận, nhưng camera ngắt phiên trước khi có hình", "PLAY was granted, and the camera ended the session before any video";
    OtherPackets "other_packets" => "{0}, chỉ có {1} gói thuộc loại khác với mô tả", "{0}, only {1} packets of another kind than described";
    EndedAfterPlay "ended_after_play" => "camera ngắt phiên {0} giây sau PLAY", "the camera ended the session {0} s after PLAY";
    CameFromCache "came_from_cache" => "{0} khung hình về nhanh hơn lúc quay, rồi không có gì trong {1} giây: bộ đệm, không phải camera", "{0} frames came faster than they were filmed, then none for {1} s: a cache, not a camera";
    VideoStopped "video_stopped" => "hình dừng sau {0} khung hình, im lặng {1} giây", "video stopped after {0} frames, silent for {1} s";
    SameFrames "same_frames" => "{0} khung hình liên tiếp giống nhau từng byte", "{0} frames in a row are the same byte for byte";
    BeganAnew "began_anew" => "luồng hình bắt đầu lại {0} lần trong {1} giây", "the stream began anew {0} times in {1} s";
    BudgetSpent "budget_spent" => "hết hạn mức dung lượng của camera trước khi kết luận được", "the camera's byte budget ended the look before it could tell";

    // ONVIF.
    NoUtc "no_utc" => "không cho biết giờ UTC", "tells no UTC time";
    ClockOff "clock_off" => "đồng hồ lệch {0} giây", "clock {0} s off";
    ClockNeedsLogin "clock_needs_login" => "thiết bị đòi đăng nhập mới cho biết giờ", "the device wants a login for its clock";
    PerhapsClock "perhaps_clock" => "{0}; thiết bị không cho biết giờ, nên có thể do đồng hồ sai", "{0}; it tells no time, so a wrong clock may be the reason";
    DeviceIs "device_is" => "{0} {1}, phần mềm {2}", "{0} {1}, firmware {2}";
    NamesStreams "names_streams" => "công bố {0}", "names {0}";
    NamesNone "names_none" => "không công bố các luồng của mình", "does not name its streams";
    NoEvents "no_events" => "không có sự kiện trạng thái", "offers no status events";
    EventsUnsent "events_unsent" => "có sự kiện trạng thái nhưng không gửi", "offers status events and does not send them";
    ReportsNoFailure "reports_no_failure" => "không báo lỗi nào", "reports no failure";
    Reports "reports" => "báo {0}", "reports {0}";
    OnvifUnreadable "onvif_unreadable" => "không đọc được phản hồi cho ONVIF {0}", "the answer to ONVIF {0} cannot be read";
    OnvifInClear "onvif_in_clear" => "thiết bị chỉ cho đăng nhập không được bảo vệ (Basic)", "the device offers no login but an unprotected one (Basic)";
    OnvifTooLong "onvif_too_long" => "phản hồi ONVIF dài hơn {0} KiB", "an ONVIF answer of more than {0} KiB";
    OnvifRejected "onvif_rejected" => "thiết bị từ chối đăng nhập (HTTP {0})", "the device rejects the login (HTTP {0})";
    OnvifStatus "onvif_status" => "dịch vụ ONVIF trả lời HTTP {0}", "the ONVIF service answers HTTP {0}";
    OnvifLate "onvif_late" => "dịch vụ ONVIF không trả lời kịp", "the ONVIF service does not answer in time";
    OnvifClosed "onvif_closed" => "cổng ONVIF không nhận kết nối", "the ONVIF port accepts no connection";
    SpeaksNoHttp "speaks_no_http" => "thiết bị trả lời ở cổng ONVIF không dùng HTTP", "what answers at the ONVIF port does not speak HTTP";

    // The monitor's own processes.
    EndsParser "ends_parser" => "dữ liệu camera gửi làm hỏng bộ đọc phản hồi", "what it sends ends the parser of its answers";
    EndsProbe "ends_probe" => "camera gửi nhiều hơn bộ nhớ của tiến trình kiểm tra, hoặc gửi thứ làm hỏng bộ đọc", "the camera sends more than the probe may hold in memory, or what ends its parser";
    WorkerNotStarted "worker_not_started" => "không khởi động được tiến trình kiểm tra", "the probe's worker process could not be started";
    WorkerGaveUp "worker_gave_up" => "tiến trình kiểm tra bỏ cuộc trước khi kiểm tra được", "the probe's worker process gave up before it could look";
    WorkerKilled "worker_killed" => "tiến trình kiểm tra bị kết thúc từ bên ngoài, như khi máy giám sát hết bộ nhớ; không phải lỗi của camera", "the probe's worker process was killed from outside, as when this machine runs out of memory; the camera is not to blame";
    EndedWorkers "ended_workers" => "dữ liệu camera gửi đã làm chết tiến trình kiểm tra {0} trong {1} giờ qua", "the camera has ended the probe's worker process {0} in the last {1} hours by what it sends";
    WellBut "well_but" => "lần kiểm tra này tốt, nhưng {0}", "this look went well, but {0}";
    Once "once" => "một lần", "once";
    Times "times" => "{0} lần", "{0} times";
    FailedInside "failed_inside" => "lần kiểm tra bị lỗi bên trong máy giám sát", "the probe failed inside the monitor";

    // What thresholds and the past make of what was seen.
    PacketsLost "packets_lost" => "mất {0} trong {1} gói RTP ({2} %)", "{0} of {1} RTP packets lost ({2} %)";
    TimestampsJumped "timestamps_jumped" => "nhãn thời gian nhảy {0} lần trong một lần kiểm tra", "timestamps jumped {0} times in one look";
    TimestampsRun "timestamps_run" => "nhãn thời gian chạy bằng {0} lần tốc độ thời gian", "timestamps run at {0} times the speed of time";
    ParametersChanged "parameters_changed" => "bộ tham số đổi {0} lần giữa luồng", "parameter sets changed {0} times in mid-stream";
    CodecIs "codec_is" => "luồng hình là {0}, cam kết là {1}", "the stream is {0}, promised is {1}";
    SizeIs "size_is" => "cỡ hình là {0}, cam kết là {1}", "the picture is {0}, promised is {1}";
    StreamWas "stream_was" => "luồng hình trước là {0}, nay là {1}", "the stream was {0} before and is {1} now";
    SmallFrames "small_frames" => "{0} byte mỗi khung giữa hai khung hình chính, thường giờ này là {1}", "{0} bytes a frame between keyframes, {1} are usual at this hour";
    FrameRateIs "frame_rate_is" => "{0} hình/giây, {2} là {1}", "{0} frames/s, {1} are {2}";
    BitrateIs "bitrate_is" => "{0} kbit/s, {2} là {1}", "{0} kbit/s, {1} are {2}";
    Promised "promised" => "cam kết", "promised";
    Usual "usual" => "thường giờ này", "usual at this hour";
    PacketsUneven "packets_uneven" => "gói tin đến lệch {0} ms so với nhịp", "packets arrive {0} ms off their time";
    KeyframesApart "keyframes_apart" => "{0} giây giữa hai khung hình chính, cam kết là {1} giây", "{0} s between keyframes, promised are {1} s";
    ClockGains "clock_gains" => "đồng hồ camera chạy lệch {0} giây mỗi giờ", "its clock gains {0} s an hour";
    CameraClockOff "camera_clock_off" => "đồng hồ camera lệch {0} giây{1}", "camera clock is {0} s off{1}";
    AndTimeZone "and_time_zone" => "; kiểm tra múi giờ của camera", "; check its time zone";
    AndPower "and_power" => "; camera mất giờ khi mất điện: đặt máy chủ NTP cho nó", "; it lost its time with its power: give it an NTP server";
    DeviceReports "device_reports" => "thiết bị báo {0}", "the device reports {0}";
    SerialIsNot "serial_is_not" => "số sê-ri {0} trả lời, cấu hình ghi {1}", "serial {0} answers, the configuration names {1}";
    SerialSince "serial_since" => "số sê-ri {0} trả lời từ {1}, trước đó là {2}", "serial {0} answers since {1}, before it was {2}";
    FirmwareOlder "firmware_older" => "phần mềm {0} cũ hơn {1} trước đây", "firmware {0} is older than {1} before";
    StartedOften "started_often" => "khởi động {0} lần trong {1}", "{0} starts within {1}";
    StreamsRenamed "streams_renamed" => "cấu hình dùng {0}, thiết bị công bố {1}", "the configuration asks for {0}, the device names {1}";

    // What lies over a camera, and what the journal gives back.
    CutOff "cut_off" => "máy giám sát mất mạng", "the monitor is cut off";
    Behind "behind" => "phía sau {0}", "behind {0}";
    CommuneSilent "commune_silent" => "toàn xã im lặng", "the whole commune is silent";
    ConsentEnded "consent_ended" => "sự đồng ý của chủ hộ đã hết hạn sau ngày {0}", "its owner's consent ended after {0}";
    ConsentNotYet "consent_not_yet" => "sự đồng ý của chủ hộ chỉ có hiệu lực từ ngày {0}", "its owner's consent begins on {0}";
    // What happened to an incident.
    TakenOnBy "taken_on_by" => "{0}, {1}", "{0} ({1})";
    OnPage "on_page" => "trên trang này", "on a page";
    ByLink "by_link" => "bằng liên kết trong tin nhắn", "by the link in a message";
    ByCommand "by_command" => "bằng lệnh", "by a command";
    ByReply "by_reply" => "bằng cách trả lời", "in answer";
    PassedIt "passed_it" => "chuyển cho người tiếp theo", "passed it on";
    QuietHours "quiet_hours" => "giờ yên lặng", "quiet hours";
    OutOfService "out_of_service" => "đang bảo trì ({0}: {1})", "maintenance ({0}: {1})";
    WasTakenOnBy "was_taken_on_by" => "trước đó {0} đã nhận", "{0} had taken it on";
    NotAnsweredInTime "not_answered_in_time" => "nhà thầu chưa tiếp nhận khi hết hạn", "the contractor had not answered in time";
    NotRepairedInTime "not_repaired_in_time" => "chưa khắc phục xong khi hết hạn", "not repaired in time";
    AnsweredInTime "answered_in_time" => "tính lại: tiếp nhận không quá hạn", "reckoned anew: answered in time";
    RepairedInTime "repaired_in_time" => "tính lại: khắc phục không quá hạn", "reckoned anew: repaired in time";
    PartOf "part_of" => "là một phần của sự cố #{0}", "part of #{0}";
    GoesOnAfter "goes_on_after" => "tiếp theo sự cố #{0}", "goes on after #{0}";
    ReasonUnknown "reason_unknown" => "{0} (lý do mà phiên bản này không biết): {1}", "{0} (a reason that this version does not know): {1}";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;
    use std::collections::BTreeSet;

    #[test]
    fn both_templates_of_a_phrase_have_the_same_places() {
        for phrase in Phrase::ALL {
            let [vietnamese, english] = Language::ALL.map(|language| {
                let template = phrase.template(language);
                assert_eq!(template.matches('{').count(), template.matches('}').count(), "{phrase:?}");
                let places =
                    template.split('{').skip(1).map(|rest| rest.split('}').next().expect("a number").to_owned());
                places.collect::<BTreeSet<String>>()
            });
            assert_eq!(vietnamese, english, "{phrase:?}");
            let numbers: BTreeSet<String> = (0..phrase.places()).map(|place| place.to_string()).collect();
            assert_eq!(english, numbers, "{phrase:?}");
        }
    }

    #[test]
    fn each_phrase_is_said_differently_in_each_language() {
        for phrase in Phrase::ALL {
            let [vietnamese, english] = Language::ALL.map(|language| phrase.template(language));
            assert_eq!(vietnamese == english, phrase == Phrase::Plain, "{phrase:?}");
        }
        let english: BTreeSet<_> = Phrase::ALL.iter().map(|phrase| phrase.template(Language::En)).collect();
        assert_eq!(english.len(), Phrase::ALL.len(), "no two phrases say the same");
    }
}
