//! What pages say of a month, and of a commune without cameras.

use super::*;

#[tokio::test]
async fn a_month_is_a_page_a_table_and_json() {
    let server = serve().await;
    let (status, _, page) = fetch(&server, "/reports?lang=en").await;
    assert_eq!(status, StatusCode::OK);
    // The snapshot's clock shows September 2026.
    assert!(page.contains("Uptime report of 09/2026") && page.contains("the month is not over"), "{page}");
    assert!(page.contains("/reports/2026-08?lang=en") && page.contains("/reports/2026-09.csv"));
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;"), "names are escaped");
    let (_, headers, table) = fetch(&server, "/reports/2026-09.csv").await;
    assert!(headers["content-type"].to_str().expect("text").starts_with("text/csv"));
    assert!(table.trim_start_matches('\u{feff}').starts_with("month,section,id,name,members,up_seconds,"), "{table}");
    assert!(table.contains("\n2026-09,camera,cho-01,"), "{table}");
    let (status, _, json) = fetch(&server, "/api/v1/reports/2026-09").await;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((status, &json["cameras"][0]["verdict"]), (StatusCode::OK, &"not_measured".into()));
    for wrong in ["/reports/2026-13", "/reports/2026-10", "/reports/2026-10.csv", "/api/v1/reports/2026-10"] {
        assert_eq!(fetch(&server, wrong).await.0, StatusCode::NOT_FOUND, "{wrong}: it has not begun");
    }
    assert_eq!(fetch(&server, "/api/v1/reports/oktober").await.0, StatusCode::NOT_FOUND);
}

#[test]
fn a_commune_without_cameras_says_so_and_one_that_is_well_does_not() {
    let well = snapshot(CameraState::Up, 0);
    let mut empty = (*well).clone();
    empty.fleet = Arc::new(Fleet::empty(well.fleet.commune.clone()));
    empty.cameras = imbl::OrdMap::new();
    let says = |snapshot: &Snapshot| {
        let (_, snapshots) = watch::channel(Arc::new(snapshot.clone()));
        let past = crate::web::past::Past::new(crate::web::past::tests::sources(snapshots));
        let asked = (&past, Some(crate::uptime::Range::Day));
        let page = crate::web::wall::main(snapshot, None, Language::Vi, asked).expect("it renders");
        page.expect("a wall").contains("Chưa khai báo camera nào.")
    };
    assert!(says(&empty) && !says(&well));
}
