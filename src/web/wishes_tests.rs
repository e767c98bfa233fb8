//! Wishes over HTTP: what is done, what is refused, with which words and status, and from where.

use super::*;

#[tokio::test]
async fn something_is_silenced_by_a_form_and_by_a_program_with_author_reason_and_end() {
    let server = serve().await;
    let post = reqwest::Method::POST;
    let mut snapshot = (*snapshot(CameraState::Up, 0)).clone();
    let mut fleet = (*snapshot.fleet).clone();
    fleet.sites.insert("cho".into(), Arc::new(Site::new("cho", Vec::new())));
    snapshot.fleet = Arc::new(fleet);
    server.publish.send_replace(Arc::new(snapshot));
    let form = "scope=site%3Acho&minutes=60&author=An&reason=thay+camera";
    assert_eq!(send(&server, post.clone(), "/incidents/cho-1/silence", form).await.0, 303);
    let wish = request::Silence {
        scope: crate::model::Scope::Site("cho".into()),
        from: None,
        until: None,
        minutes: Some(60.0),
        author: "An".into(),
        reason: "thay camera".into(),
    };
    assert_eq!(asked(&server), [Request::Silence(wish)]);
    for (form, status, words) in [
        ("scope=house%3Acho&minutes=60&author=An&reason=b", 400, "there is no such thing to silence\n"),
        ("scope=site%3Ax&minutes=60&author=An&reason=b", 404, "there is no such site\n"),
        ("scope=site%3Acho&minutes=99999&author=An&reason=b", 400, "at least a minute, at most 31 days\n"),
        (
            "scope=site%3Acho&minutes=5&author=An&reason=+",
            400,
            "reason: it is empty: give a name or a reason that people can read\n",
        ),
    ] {
        let (code, text) = send(&server, post.clone(), "/incidents/cho-1/silence", form).await;
        assert_eq!((code.as_u16(), text.as_str()), (status, words), "{form}");
    }
    assert_eq!(send(&server, post.clone(), "/incidents/99/ack", "by=An").await.0, 404);
    for (body, status) in [
        ("{\"scope\":{\"kind\":\"all\"},\"minutes\":5,\"author\":\"An\",\"reason\":\"bão\"}", 201),
        ("{\"scope\":{\"kind\":\"all\"},\"minutes\":5,\"author\":\"An\",\"reason\":\"\"}", 400),
        ("{\"scope\":{\"kind\":\"site\",\"id\":\"x\"},\"minutes\":5,\"author\":\"An\",\"reason\":\"bão\"}", 404),
        ("{\"scope\":{\"kind\":\"all\"},\"author\":\"An\",\"reason\":\"bão\"}", 422),
        ("{\"scope\":{\"kind\":\"all\"},\"minutes\":99999999,\"author\":\"An\",\"reason\":\"bão\"}", 400),
    ] {
        assert_eq!(send(&server, post.clone(), "/api/v1/silences", body).await.0, status, "{body}");
    }
    assert_eq!(send(&server, reqwest::Method::DELETE, "/api/v1/silences/w2", "").await.0, 404);
    assert_eq!(send(&server, reqwest::Method::DELETE, "/api/v1/silences/w1", "").await.0, 200);
    assert_eq!(asked(&server).pop(), Some(Request::Unsilence { window: "w1".into() }));
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let server = serve().await;
    let client = reqwest::Client::new();
    for path in ["/incidents/cho-1/ack", "/api/v1/silences", "/-/reload"] {
        let request = client.post(format!("http://{}{path}", server.address)).header("origin", "http://elsewhere");
        let kind = if path.contains("api") { "application/json" } else { "application/x-www-form-urlencoded" };
        let body = match path {
            "/api/v1/silences" => "{\"scope\":{\"kind\":\"all\"},\"minutes\":5,\"author\":\"A\",\"reason\":\"b\"}",
            _ => "by=A",
        };
        let answer = request.header("content-type", kind).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 403, "{path}");
    }
    assert_eq!(asked(&server), []);
}
