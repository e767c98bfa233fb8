//! The page's own words; those of states and reasons stand in the model.

use crate::model::Language;

/// Words of pages: for each its Vietnamese, then its English.
macro_rules! phrases {
    ($($name:ident: $vietnamese:literal, $english:literal;)*) => {
        /// Words of one language.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        const VIETNAMESE: Words = Words { $($name: $vietnamese,)* };
        const ENGLISH: Words = Words { $($name: $english,)* };
    };
}

pub(super) use phrases;

pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::Vi => &VIETNAMESE,
        Language::En => &ENGLISH,
    }
}

phrases! {
    lang: "vi", "en";
    other: "English", "Tiếng Việt";
    other_lang: "en", "vi";
    coverage: "Mức bao phủ toàn xã", "Coverage of the commune";
    views_seen: "hướng nhìn được quan sát", "views seen";
    as_of: "Số liệu lúc", "As of";
    cameras: "Camera", "Cameras";
    sites_short: "Điểm", "Sites";
    site: "Điểm", "Site";
    coverage_here: "mức bao phủ", "coverage";
    everything: "Toàn bộ", "Everything";
    area: "Khu vực", "Area";
    areas: "Khu vực", "Areas";
    no_areas: "Ngoài các khu vực", "In no area";
    no_area: "Không có khu vực này.", "There is no such area.";
    other_sites: "Điểm khác", "Other sites";
    worst_sites: "Điểm cần chú ý", "Sites that need attention";
    blind_sites: "điểm mù", "blind";
    cameras_unwell: "camera chưa tốt", "cameras not well";
    and_more: "và còn", "and more:";
    all_incidents: "Sự cố", "Incidents";
    sites: "Nút giao và điểm quan sát", "Intersections and sites";
    problems: "Camera cần xử lý", "Cameras that need attention";
    no_problems: "Không có camera nào cần xử lý.", "No camera needs attention.";
    well: "Camera hoạt động tốt", "Cameras that work";
    lost_views: "Mất hướng", "Views lost";
    since: "Từ", "Since";
    incident: "Sự cố", "Incident";
    state: "Trạng thái", "State";
    camera: "Camera", "Camera";
    cause: "Nguyên nhân", "Cause";
    last_media: "Hình gần nhất", "Last video";
    last_probe: "Kiểm tra gần nhất", "Last look";
    stream: "Luồng hình", "Stream";
    clock: "Lệch giờ", "Clock offset";
    link: "Đường truyền", "Link";
    never: "chưa có", "never";
    transcript: "Các bước kiểm tra", "Steps of the last look";
    trouble: "Bộ giám sát đang KHÔNG làm việc đúng – báo người quản trị ngay: số liệu có thể đã cũ, hoặc không ai được báo tin", "The monitor does NOT do its work – call whoever maintains it: what you see may be old, or nobody is told";
    stale: "Mất kết nối với máy giám sát – số liệu dưới đây đã cũ", "Connection to the monitor lost – what you see is old";
    age: "trước", "ago";
    frames: "hình/giây", "frames/s";
    lost_packets: "gói mất", "packets lost";
    why: "Vì sao", "Why";
    what_to_do: "Cần làm gì", "What to do";
    next_look: "Lần kiểm tra tới", "Next look";
    budget: "Hạn mức", "Budgets";
    spent: "Đã nhận", "Received";
    left: "còn dùng ngay được", "left at once";
    per_day: "mỗi 24 giờ", "in 24 hours";
    per_hour: "lần mỗi giờ", "looks an hour";
    looks: "Các lần kiểm tra gần đây", "The last looks";
    took: "Thời gian", "Took";
    bytes: "Dung lượng", "Bytes";
    facts: "Số đo", "Figures";
    device: "Thiết bị", "Device";
    address: "Địa chỉ", "Address";
    named: "Camera công bố", "It names";
    by_retina: "xem bằng retina", "seen by retina";
    fine: "tốt", "well";
    depth: "Loại", "Depth";
    when: "Lúc", "When";
    no_camera: "Không có camera này.", "There is no such camera.";
    taken_on: "Người nhận", "Taken on by";
    take_on: "Tôi nhận sự cố này", "I take it on";
    your_name: "Tên của bạn", "Your name";
    nobody: "Không có ai nhận.", "Nobody took it on.";
    ended: "kết thúc", "ended";
    worst: "nặng nhất", "at worst";
    silence: "Tạm ngừng báo động (bảo trì)", "Out of service on purpose (maintenance)";
    what: "Cái gì", "What";
    how_long: "Trong bao lâu", "For how long";
    hours: "giờ", "h";
    days: "ngày", "days";
    reason: "Lý do", "Reason";
    silence_now: "Tạm ngừng", "Silence";
    on_call: "Đang trực", "On call";
    until: "đến", "until";
    windows: "Đang bảo trì", "In maintenance";
    incidents: "Sự cố đang mở", "Open incidents";
    cut_off: "Bộ giám sát mất mạng: không thấy camera nào", "The monitor is cut off: it sees no camera at all";
    wall: "Màn hình", "Wall";
    map: "Bản đồ", "Map";
    reports: "Báo cáo", "Reports";
    menu: "Các trang", "Pages";
    no_site: "Không có điểm này.", "There is no such site.";
    seeing: "camera thấy / cần", "cameras see it / needed";
    spare: "dự phòng", "spare";
    north: "Bắc", "N";
    nowhere: "Điểm chưa có tọa độ", "Sites without coordinates";
    no_places: "Chưa có tọa độ: thêm location = \"19.40112, 105.81207\" vào từng [[site]] của cấu hình.", "No coordinates yet: add location = \"19.40112, 105.81207\" to each [[site]] of the configuration.";
    search: "Tìm tên hoặc mã", "Name or id";
    kind: "Loại", "Kind";
    any: "tất cả", "all";
    unwell: "chưa tốt", "not well";
    sort: "Sắp xếp", "Order";
    worst_first: "xấu nhất trước", "worst first";
    by_name: "theo tên", "by name";
    latest_first: "mới thay đổi trước", "latest change first";
    show: "Xem", "Show";
    nothing_found: "Không có gì phù hợp.", "Nothing matches.";
    page: "Trang", "Page";
    first: "« đầu", "« first";
    previous: "‹ trước", "‹ previous";
    next: "sau ›", "next ›";
    last: "cuối »", "last »";
    end: "Kết thúc", "Ended";
    not_drawn: "Chưa vẽ hết; xem danh sách", "Not all are drawn; see the list";
    privacy: "camhealth chỉ kiểm tra tình trạng thiết bị; không giải mã, lưu hay hiển thị hình ảnh.", "camhealth checks device status only; no picture is decoded, stored or shown.";
}
