//! The words of the page on which somebody reads who lends a camera.

use crate::model::vocabulary;

vocabulary! {
    lang: "vi", "en";
    title: "Chủ hộ cho mượn camera", "Who lends a camera";
    what_for: "Mỗi lần chỉ xem một hộ, khi cần liên hệ. Ai xem, lúc nào, để làm gì được ghi vào nhật ký thao tác trước khi thông tin hiện ra.", "One household at a time, when it must be reached. Who reads it, when and what for is written into the audit trail before it is shown.";
    camera: "Mã camera", "Camera's id";
    reason: "Xem để làm gì", "What for";
    show: "Xem", "Show";
    name: "Họ tên", "Name";
    phone: "Điện thoại", "Telephone";
    address: "Địa chỉ", "Address";
    note: "Ghi chú", "Note";
    unknown: "Sổ hộ dân không có camera này.", "The owners' file has no such camera.";
    no_camera: "Không có camera hộ dân nào mang mã này.", "No family's camera has this id.";
    no_reason: "Hãy ghi xem để làm gì.", "Say what for.";
    not_noted: "Chưa ghi được vào nhật ký thao tác nên không hiện thông tin. Hãy thử lại khi nhật ký ghi được; nếu lặp lại, báo quản trị xem ổ đĩa.", "It cannot be written into the audit trail, so nothing is shown. Try again when the journal can be written; if it stays so, have the disk looked at.";
    unreadable: "Không đọc được sổ hộ dân; quản trị xem nhật ký hệ thống.", "The owners' file cannot be read; the log tells why.";
    noted: "Lần xem này đã được ghi vào nhật ký thao tác.", "This reading is in the audit trail.";
}
