//! The words for states and reasons that people read, on pages and in messages, Vietnamese and English.

use super::{Check, FailureKind, Held, Kind, Level, LinkKind, LinkState, State, ViewState, worded};

worded!(State::text {
    Up => "hoạt động", "up";
    Degraded => "suy giảm", "degraded";
    Down => "hỏng", "down";
    Unreachable => "không tới được", "unreachable";
    Unknown => "chưa rõ", "unknown";
    Maintenance => "bảo trì", "maintenance";
    Off => "ngoài giờ", "off hours";
});

worded!(Level::text {
    Full => "đủ", "full";
    Reduced => "giảm", "reduced";
    Critical => "nguy cấp", "critical";
    Blind => "mù hoàn toàn", "blind";
    Unknown => "chưa rõ", "unknown";
});

worded!(ViewState::text {
    Covered => "quan sát được", "covered";
    Lost => "mất", "lost";
    Unknown => "chưa rõ", "unknown";
});

worded!(LinkState::text {
    Up => "hoạt động", "up";
    Down => "đứt", "down";
    Unknown => "chưa rõ", "unknown";
});

worded!(LinkKind::text {
    Uplink => "đường truyền thuê", "uplink";
    Switch => "bộ chuyển mạch", "switch";
    Power => "nguồn điện", "power";
    Agent => "hộp theo dõi tại hộ", "agent";
    Source => "nguồn tin", "source";
});

worded!(Kind::text {
    Public => "công cộng", "public";
    Household => "hộ dân", "household";
});

worded!(Check::text {
    Liveness => "kiểm tra phản hồi", "liveness";
    Stream => "kiểm tra luồng hình", "stream";
    Survey => "khảo sát dài", "long look";
    Device => "kiểm tra thiết bị (ONVIF)", "device (ONVIF)";
});

worded!(Held::text {
    OwnerHours => "chờ hết giờ chủ hộ không muốn kết nối", "waits for its owner's hours to end";
    NoConsent => "chủ hộ không (hoặc không còn) đồng ý: không kết nối", "not contacted: its owner has not agreed, or not any more";
    LoginRejected => "chờ vì đăng nhập đã bị từ chối", "waits because the login was rejected";
    LoginUnproven => "chờ một lần đăng nhập khác xong", "waits for another login to be answered";
    CameraBytes => "chờ vì đã dùng hết dung lượng cho camera này", "waits because the camera's bytes are spent";
    CameraLooks => "chờ vì đã hết số lần kiểm tra", "waits because the camera's looks are spent";
    LinkBytes => "chờ vì đã dùng hết dung lượng của đường truyền", "waits because the link's bytes are spent";
    LinkRate => "chờ tới lượt trên đường truyền", "waits for its turn on the link";
    LongLooks => "chờ lượt kiểm tra dài", "waits for its turn among long looks";
    Workers => "chờ tiến trình kiểm tra rảnh", "waits for a worker that is free";
});

worded!(FailureKind::text {
    Unresolved => "không tìm thấy địa chỉ theo tên máy", "the host name has no address";
    Unreachable => "mạng không có đường tới camera", "the network has no way to the camera";
    Timeout => "không trả lời (mất điện hoặc đứt cáp)", "no answer (no power or a cut cable)";
    Refused => "cổng RTSP đóng (thiết bị vẫn bật)", "the RTSP port is closed (the device is on)";
    NoRtsp => "không trả lời giao thức RTSP", "does not answer in RTSP";
    Oversized => "gửi dữ liệu quá lớn, bất thường", "sends abnormally large answers";
    Auth => "sai tài khoản hoặc mật khẩu", "the login is rejected";
    AuthChanged => "tài khoản đang đúng nay bị từ chối (hết kết nối hoặc đổi mật khẩu)", "a login that was good is refused (no connection left, or a new password)";
    InsecureLogin => "camera đòi mật khẩu không mã hóa", "the camera wants the password in clear";
    Certificate => "chứng thư của camera không khớp cấu hình", "the camera's certificate is not the configured one";
    SessionLimit => "hết lượt kết nối (máy khác đang xem)", "all sessions are taken";
    NotFound => "sai đường dẫn luồng hình", "no stream at this path";
    RtspError => "lỗi RTSP", "an RTSP error";
    Nonconforming => "trả lời không đúng chuẩn", "answers outside the standard";
    NoVideo => "luồng không có hình (chỉ có âm thanh)", "the stream has no picture (sound only)";
    NoMedia => "không có hình truyền về", "no video arrives";
    Stalled => "hình bị dừng giữa chừng", "video stops";
    SessionClosed => "camera ngắt kết nối khi đang xem", "the camera ends the session while it plays";
    CachedOnly => "chỉ phát lại hình cũ trong bộ đệm", "only old pictures from a cache arrive";
    Frozen => "hình đứng yên (bộ mã hóa treo)", "the picture is frozen (the encoder hangs)";
    SignalLoss => "camera báo mất tín hiệu hình", "the camera reports no video signal";
    EncoderRestarted => "bộ mã hóa khởi động lại", "the encoder restarts";
    LoginDowngraded => "camera chuyển sang đòi mật khẩu không mã hóa", "the camera now wants the password in clear";
    Loss => "mất gói tin", "packets are lost";
    Timestamps => "nhãn thời gian của luồng hình sai", "the stream's timestamps are wrong";
    FrozenSuspect => "nghi hình đứng yên hoặc bị che", "the picture may be frozen or covered";
    LowFps => "tốc độ khung hình thấp", "the frame rate is low";
    LowBitrate => "lưu lượng hình thấp bất thường", "the bitrate is low";
    Jitter => "gói tin đến không đều", "packets arrive unevenly";
    KeyframeInterval => "khung hình chính quá thưa", "keyframes are too far apart";
    ParametersChanged => "thông số luồng hình thay đổi", "the stream's parameters changed";
    Hardware => "thiết bị báo lỗi phần cứng", "the device reports a hardware failure";
    RebootLoop => "khởi động lại liên tục (kiểm tra nguồn điện)", "it restarts again and again (check its power)";
    Swapped => "thiết bị khác trả lời ở địa chỉ này", "another device answers at this address";
    Rollback => "phần mềm thiết bị bị hạ phiên bản", "the firmware is older than before";
    UriDrift => "camera đã đổi đường dẫn luồng hình", "the camera names another stream address";
    Clock => "đồng hồ camera sai giờ", "the camera's clock is wrong";
    ClockDrift => "đồng hồ camera chạy nhanh hoặc chậm", "the camera's clock runs fast or slow";
    ProbeFailed => "bộ giám sát không kiểm tra được", "the monitor could not look";
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;

    #[test]
    fn each_reason_is_said_differently_in_each_language() {
        for language in [Language::Vi, Language::En] {
            let mut words: Vec<_> = FailureKind::ALL.iter().map(|kind| kind.text(language)).collect();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), FailureKind::ALL.len());
        }
        assert!(FailureKind::ALL.iter().all(|kind| kind.text(Language::Vi) != kind.text(Language::En)));
    }
}
