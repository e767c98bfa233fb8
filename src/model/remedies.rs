//! What the contractor should do about each reason, Vietnamese and English.

use super::{FailureKind, worded};

worded!(FailureKind::remedy {
    Unresolved => "Sửa tên máy trong cấu hình hoặc kiểm tra máy chủ DNS.", "Correct the host name, or check the DNS server.";
    Unreachable => "Kiểm tra tuyến mạng và cổng mạng của máy giám sát.", "Check routes and the monitor's own network port.";
    Timeout => "Kiểm tra nguồn điện, cáp mạng và thiết bị mạng phía trên camera.", "Check power, cable and the switch above the camera.";
    Refused => "Bật lại dịch vụ RTSP trên camera; nếu vừa có điện, chờ khởi động xong.", "Turn RTSP on again in the camera; after a power cut wait until it has started.";
    NoRtsp => "Khởi động lại camera; kiểm tra số cổng RTSP trong cấu hình.", "Restart the camera; check the RTSP port in the configuration.";
    Oversized => "Thiết bị trả lời bất thường: kiểm tra có đúng là camera không, nâng cấp phần mềm.", "Check that this is the camera at all; update its firmware.";
    Auth => "Sửa tài khoản trong logins.toml rồi nạp lại cấu hình; không thử mật khẩu nhiều lần.", "Correct the login in logins.toml and reload; do not try passwords repeatedly.";
    AuthChanged => "Hỏi ai đã đổi mật khẩu, hoặc giảm số người xem cùng lúc; sửa logins.toml nếu cần.", "Ask who changed the password, or reduce viewers; correct logins.toml if need be.";
    InsecureLogin => "Đặt camera sang xác thực Digest; nếu không được, thêm allow_basic = true cho tài khoản riêng của camera này.", "Set the camera to Digest; if it cannot, give it a login of its own with allow_basic = true.";
    Certificate => "Nếu đã thay chứng thư của camera, sửa certificate trong cấu hình theo dấu vân tay bên dưới; nếu không, kiểm tra tại chỗ.", "If the camera's certificate was replaced, put the fingerprint below into certificate; if not, look on site.";
    SessionLimit => "Giảm số máy xem cùng lúc hoặc tăng giới hạn kết nối trên camera.", "Reduce the viewers, or raise the camera's limit of sessions.";
    NotFound => "Sửa đường dẫn luồng hình; trang này liệt kê các đường dẫn camera công bố.", "Correct the stream's path; this page lists those that the camera names.";
    RtspError => "Xem các bước bên dưới; thử đổi transport hoặc khởi động lại camera.", "See the steps below; try the other transport, or restart the camera.";
    Nonconforming => "Nâng cấp phần mềm camera; gửi các bước bên dưới cho nhà thầu.", "Update the camera's firmware; send the steps below to its maker.";
    NoVideo => "Bật luồng hình trên camera, hoặc sửa đường dẫn: đường dẫn này chỉ có âm thanh.", "Turn the video stream on, or correct the path: this one has no picture.";
    NoMedia => "Khởi động lại camera; kiểm tra bộ mã hóa luồng phụ còn bật.", "Restart the camera; check that the substream's encoder is on.";
    Stalled => "Kiểm tra chất lượng đường truyền (Wi-Fi); khởi động lại camera.", "Check the line (Wi-Fi); restart the camera.";
    SessionClosed => "Kiểm tra nguồn điện và số máy xem cùng lúc; khởi động lại camera.", "Check the power and the number of viewers; restart the camera.";
    CachedOnly => "Kiểm tra camera phía sau đầu ghi hoặc bộ chuyển tiếp: nó chỉ phát lại hình cũ.", "Check the camera behind the recorder or relay: it repeats old pictures only.";
    Frozen => "Khởi động lại camera; nếu lặp lại, nâng cấp phần mềm.", "Restart the camera; if it happens again, update its firmware.";
    SignalLoss => "Kiểm tra cảm biến hoặc cáp tín hiệu từ camera tới đầu ghi.", "Check the sensor, or the cable from camera to recorder.";
    EncoderRestarted => "Kiểm tra nguồn điện; theo dõi xem có lặp lại không.", "Check the power; watch whether it happens again.";
    LoginDowngraded => "Kiểm tra có đúng là camera này không; đặt lại xác thực Digest và đổi mật khẩu.", "Check that this is the camera; set Digest again and change the password.";
    Loss => "Kiểm tra cáp, đầu nối và tải của đường truyền.", "Check cable, connectors and the load of the line.";
    Timestamps => "Khởi động lại camera; nâng cấp phần mềm.", "Restart the camera; update its firmware.";
    FrozenSuspect => "Xem hình trực tiếp tại chỗ: có thể bị che, sương mù hoặc bộ mã hóa treo.", "Look at the picture on site: covered, fog, or a hanging encoder.";
    LowFps => "Kiểm tra cài đặt tốc độ khung hình và độ sáng ban đêm.", "Check the frame rate setting and exposure at night.";
    LowBitrate => "Kiểm tra cài đặt lưu lượng; ống kính có thể bị che.", "Check the bitrate setting; the lens may be covered.";
    Jitter => "Kiểm tra Wi-Fi hoặc tải của đường truyền.", "Check the Wi-Fi or the load of the line.";
    KeyframeInterval => "Đặt lại khoảng cách khung hình chính, tắt mã hóa thông minh nếu cần.", "Set the keyframe interval; turn smart coding off if need be.";
    ParametersChanged => "Nếu thay đổi có chủ ý, cập nhật promise trong cấu hình.", "If the change was meant, update the promise in the configuration.";
    Hardware => "Kiểm tra thẻ nhớ, quạt, nguồn hoặc nhiệt độ theo báo cáo của thiết bị.", "Check storage, fan, power or temperature as the device reports.";
    RebootLoop => "Kiểm tra nguồn và PoE, nhất là khi đèn hồng ngoại bật.", "Check power and PoE, above all when the infrared lamps turn on.";
    Swapped => "Nếu đã thay camera, sửa serial trong cấu hình; nếu không, kiểm tra tại chỗ.", "If the camera was replaced, update its serial; if not, look on site.";
    Rollback => "Hỏi ai đã hạ phiên bản phần mềm; nâng cấp lại.", "Ask who put the old firmware back; update it.";
    UriDrift => "Sửa rtsp theo đường dẫn mà camera công bố.", "Correct rtsp to an address that the camera names.";
    Clock => "Đặt máy chủ NTP và múi giờ cho camera.", "Give the camera an NTP server and its time zone.";
    ClockDrift => "Đặt máy chủ NTP cho camera.", "Give the camera an NTP server.";
    ProbeFailed => "Lỗi của máy giám sát: xem nhật ký của camhealth.", "The monitor's own fault: see camhealth's log.";
});
