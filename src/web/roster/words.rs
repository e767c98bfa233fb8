//! The words of the roster's page.

use crate::model::vocabulary;

vocabulary! {
    lang: "vi", "en";
    settings: "Thiết lập", "Settings";
    title: "Lịch trực hai tuần tới", "The roster of the next two weeks";
    date: "Ngày", "Day";
    today: "hôm nay", "today";
    stands_in: "trực thay", "stands in";
    none: "Chưa có lịch trực nào trong cấu hình.", "The configuration has no rotation.";
    gaps: "Ca còn trống, cần người", "Shifts that need somebody";
    nobody: "chưa có ai", "nobody";
    refused: "Chưa lưu", "Not saved";
    swap: "Đổi ca", "Swap two shifts";
    swap_hint: "Hai người đổi ca cho nhau; cả hai ca được ghi là trực thay.", "Each of two people takes the other's shift; both are laid as stand-ins.";
    first: "Ca thứ nhất", "One shift";
    second: "Ca thứ hai", "The other";
    swapped: "đổi ca", "swapped";
    no_swap: "Hãy chọn hai ca chưa bắt đầu, của hai người khác nhau.", "Choose two shifts that have not begun, of two people.";
    stand_in: "Thêm người trực thay", "Somebody stands in";
    open_shift: "– chưa có ai (cần người thay) –", "– nobody yet (a gap) –";
    all_rotations: "mọi lịch", "all rotations";
    rotation: "Lịch", "Rotation";
    person: "Người", "Who";
    from: "Từ", "From";
    until: "Đến", "Until";
    reason: "Lý do", "Reason";
    save: "Lưu", "Save";
    edit: "Sửa thứ tự trực", "Edit the turns";
    all_stand_ins: "Mọi ca trực thay", "All stand-ins";
    calendar_hint: "Lịch trực của từng người có thể xem trong lịch điện thoại: quản trị tạo địa chỉ riêng ở trang Tài khoản.", "Each person's shifts can be seen in their phone's calendar: an administrator makes a secret address on the page of accounts.";
    calendar: "Ca trực", "Shifts";
    on_call: "Trực", "On call";
    no_calendar: "Không có lịch này, hoặc địa chỉ đã bị thu hồi.", "There is no such calendar, or its address was ended.";
}
