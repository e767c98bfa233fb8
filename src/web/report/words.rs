//! The words of the uptime report.

use crate::{
    model::{vocabulary, worded},
    uptime::{Account, Verdict},
};

// What a state of the report is called.
worded!(Account::text {
    Up => "hoạt động", "up";
    Degraded => "suy giảm", "degraded";
    Down => "hỏng", "down";
    Unreachable => "mất mạng của nhà thầu", "contractor's network down";
    External => "mất điện hoặc đường truyền thuê", "others' lines or power down";
    Login => "bị từ chối đăng nhập", "login rejected";
    Unseen => "không đo được", "not seen";
    Maintenance => "bảo trì có kế hoạch", "planned maintenance";
    Off => "ngoài giờ chủ hộ cho phép", "owner's hours";
    MonitorDown => "máy giám sát không chạy", "monitor not running";
});

// How a figure stands to what was agreed, with a sign beside its colour.
worded!(Verdict::text {
    Pass => "✓ đạt", "✓ pass";
    Fail => "✗ không đạt", "✗ fail";
    NotMeasured => "? chưa đủ số đo", "? too little measured";
});

vocabulary! {
    lang: "vi", "en";
    believed_by: "theo", "by";
    title: "Báo cáo hoạt động", "Uptime report";
    month: "tháng", "of";
    months: "Các tháng", "Months";
    so_far: "tính đến", "up to";
    running: "tháng chưa kết thúc", "the month is not over";
    service: "Mức sẵn sàng", "Service availability";
    service_is: "thời gian hoạt động trên tổng thời gian hoạt động và hỏng, bất kể lỗi của ai", "time up out of time up and down, whoever is to blame";
    contractor: "Phần nhà thầu", "Contractor's share";
    contractor_is: "như trên, không tính mất điện và đường truyền của bên khác", "the same without others' lines and power";
    measured: "Tỷ lệ đo được", "Measured";
    measured_is: "phần thời gian cần hoạt động mà máy giám sát đo được", "how much of the time in question was measured";
    agreed: "cam kết", "agreed";
    against: "so với tháng trước", "against the month before";
    no_before: "chưa có số liệu tháng trước", "nothing is known of the month before";
    where_time_went: "Thời gian đã trôi qua thế nào", "Where the time went";
    every_second: "Mỗi giây của mỗi camera thuộc đúng một trạng thái; tổng bằng đúng độ dài của kỳ.", "Each second of each camera is in exactly one state; they add up exactly to the period.";
    counted_up: "tính là hoạt động", "counts as up";
    counted_down: "tính là hỏng", "counts as down";
    excluded: "không tính", "excluded";
    class: "Cách tính", "Counted";
    share: "Tỷ lệ", "Share";
    camera_hours: "Giờ camera", "Camera hours";
    total: "Tổng", "Total";
    by_day: "Từng ngày", "Day by day";
    sites: "Nút giao và điểm quan sát", "Intersections and sites";
    cameras: "Camera công cộng", "Public cameras";
    households: "Camera hộ dân", "Household cameras";
    links: "Đường truyền", "Links";
    by_link: "Camera theo đường truyền", "Cameras by link";
    by_area: "Camera theo khu vực", "Cameras by area";
    all_of_them: "Xem tất cả", "Show all";
    search: "Tìm tên hoặc mã", "Name or id";
    find: "Tìm", "Find";
    page: "Trang", "Page";
    previous: "‹ trước", "‹ previous";
    next: "sau ›", "next ›";
    nothing_known: "Không có số liệu của tháng này.", "Nothing is known of this month.";
    known_since: "Nhật ký có số liệu từ", "The journal remembers since";
    no_table: "Không có bảng này.", "There is no such table.";
    makes: "Theo hãng và kiểu máy", "By make and model";
    causes: "Nguyên nhân hỏng", "What cameras were down by";
    incidents: "Sự cố", "Incidents";
    answered: "Báo tin và nhận việc", "How incidents were answered";
    decided: "Sự cố trong tháng", "Incidents of the month";
    until_sent: "Từ lúc xác định tới lúc gửi tin đầu tiên", "From the decision to the first message";
    contract: "Thời hạn hợp đồng", "The contract's terms";
    response: "Tiếp nhận", "Response";
    repair: "Khắc phục", "Repair";
    kept: "đúng hạn", "kept";
    missed: "quá hạn", "missed";
    not_decided: "chưa đến hạn", "not decided yet";
    at_level: "Khi mức", "At level";
    answered_by: "Nhà thầu tiếp nhận", "The contractor answered";
    counted: "Tính cho nhà thầu", "Counted";
    not_counted: "Không tính", "Not counted";
    no_terms: "Không có sự cố nào có thời hạn trong tháng.", "No incident was under a term.";
    terms_are: "Thời gian tính từ lúc xác định sự cố. Không tính: lúc đã thấy lại, bảo trì có kế hoạch, lỗi do đường truyền hoặc điện của bên khác, ngoài giờ đã thỏa thuận, lúc không xác định được và lúc máy giám sát không chạy. Các giây cộng lại đúng bằng thời gian của sự cố.", "Time counts from the decision. Not counted: time in which the sites were seen again, planned maintenance, others' lines and power, time outside the agreed hours, time of which nothing can be said, and time in which the monitor did not run. The seconds add up exactly to the length of the incident.";
    exercises: "Diễn tập", "Exercises";
    until_taken_on: "Từ lúc xác định tới lúc có người nhận", "From the decision until somebody took it on";
    not_in_time: "Quá 15 phút không có ai nhận", "Nobody took it on within 15 minutes";
    median: "trung vị", "median";
    longest: "lâu nhất", "at worst";
    incidents_counted: "sự cố", "incidents";
    no_incidents: "Không có sự cố nào.", "There was no incident.";
    name: "Tên", "Name";
    days: "Từng ngày", "By day";
    down: "Hỏng", "Down";
    blind: "Mù hoàn toàn", "Blind";
    outages: "Lần hỏng", "Outages";
    mttr: "MTTR", "MTTR";
    mtbf: "MTBF", "MTBF";
    mttr_is: "MTTR: thời gian khôi phục trung bình mỗi lần hỏng thuộc phần nhà thầu; MTBF: thời gian hoạt động trung bình giữa hai lần hỏng đó.", "MTTR: mean time to restore of the failures that the contractor answers for; MTBF: mean operating time between them.";
    verdict: "Kết quả", "Verdict";
    change: "Thay đổi", "Change";
    state: "Trạng thái", "State";
    cause: "Nguyên nhân", "Cause";
    number: "Số", "No.";
    place: "Ở đâu", "Where";
    level: "Mức", "Level";
    from: "Từ", "From";
    length: "Kéo dài", "Lasted";
    taken_on: "Có người nhận sau", "Taken on after";
    open: "chưa kết thúc", "still open";
    nobody: "không ai nhận", "nobody";
    removed: "Camera đã bỏ khỏi cấu hình (không tính)", "Cameras that the configuration no longer has (not counted)";
    method: "Cách tính theo IEC 60050-192. Thời gian bảo trì, ngoài giờ chủ hộ, không đo được và lúc máy giám sát không chạy được nêu riêng và không bao giờ tính là hoạt động.", "After IEC 60050-192. Maintenance, owners' hours, time not seen and time in which the monitor did not run are shown and never count as up.";
    download: "Tải về", "Download";
    d: "ngày", "d";
    h: "giờ", "h";
    m: "phút", "min";
    s: "giây", "s";
    cause_site: "camera tại chỗ", "cameras on the spot";
    cause_link: "đường truyền hoặc nguồn điện", "link or power";
    cause_device: "đầu ghi", "recorder";
    cause_commune: "toàn xã", "the whole commune";
    cause_monitor: "máy giám sát", "the monitor itself";
    camera_one: "camera", "cameras";
}
