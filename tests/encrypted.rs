//! RTSP over TLS, as cameras offer it: with certificates that they sign themselves.

use crate::{
    simulated::{configured, start},
    support::{probe, program, require},
};
use camhealth::{
    model::{Camera, Certificate, Check, FailureKind, Observation},
    probe::{Look, Pool, Prober, Settings},
    sim::SimCamera,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// A camera that speaks TLS, the address at which it does, and its certificate's fingerprint.
async fn encrypted() -> (SimCamera, SocketAddr, [u8; 32]) {
    let camera = start().await;
    let behind = camera.rtsp_addr();
    let made = rcgen::generate_simple_self_signed(["camera".to_owned()]).expect("a certificate");
    let fingerprint = Sha256::digest(made.cert.der()).into();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key is the certificate's");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((visitor, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut visitor = acceptor.accept(visitor).await.ok()?;
                let mut camera = TcpStream::connect(behind).await.ok()?;
                copy_bidirectional(&mut visitor, &mut camera).await.ok()
            });
        }
    });
    (camera, address, fingerprint)
}

async fn look(camera: &SimCamera, address: SocketAddr, certificate: Option<Certificate>) -> Observation {
    let rtsp = format!("rtsps://{address}/sub").parse().expect("a URL");
    let target = Camera { rtsp, certificate, ..configured(camera) };
    let settings = Settings::default();
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    Prober::new(settings, pool).probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_known_by_its_certificate() {
    let (camera, address, fingerprint) = encrypted().await;
    for good in [Certificate::Pinned(fingerprint), Certificate::Any] {
        let observation = look(&camera, address, Some(good)).await;
        assert!(observation.failure.is_none() && observation.proves(), "{observation:#?}");
    }
    assert_eq!(camera.stats().open_sessions, 0, "it is torn down");
    for wrong in [Some(Certificate::Pinned([7; 32])), None] {
        let before = camera.stats().connections;
        let failure = look(&camera, address, wrong).await.failure.expect("a reason");
        assert_eq!(failure.kind, FailureKind::Certificate);
        assert!(
            failure.detail.to_string().contains(&Certificate::Pinned(fingerprint).to_string()),
            "{}",
            failure.detail
        );
        assert_eq!(camera.stats().connections, before, "nothing is said to a stranger");
    }
    // What does not speak TLS at that port is told as that.
    let plain = look(&camera, camera.rtsp_addr(), Some(Certificate::Any)).await.failure.expect("a reason");
    assert_eq!(plain.kind, FailureKind::RtspError);
    assert!(plain.detail.to_string().contains("TLS"), "{}", plain.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_the_fingerprint_to_enter() {
    require("/usr/bin/ffmpeg");
    let (camera, address, fingerprint) = encrypted().await;
    let url = format!("rtsps://{address}/sub");
    let pinned = Certificate::Pinned(fingerprint).to_string();
    let (told, entered) = tokio::task::spawn_blocking({
        let (url, pinned) = (url.clone(), pinned.clone());
        move || {
            let login = [("CAMHEALTH_PASSWORD", "canary")];
            let told = probe(&[&url, "--user", "giamsat"], &login);
            (told, probe(&[&url, "--user", "giamsat", "--certificate", &pinned], &login))
        }
    })
    .await
    .expect("it does not panic");
    assert_eq!((told.0, told.1["cause"].as_str()), (4, Some("certificate")), "{:#}", told.1);
    assert!(told.1["detail"].as_str().is_some_and(|detail| detail.contains(&pinned)), "{:#}", told.1);
    assert_eq!((entered.0, entered.1["verdict"].as_str()), (0, Some("up")), "{:#}", entered.1);
    // Another client finds the same behind it.
    let login = url.replace("rtsps://", "rtsps://giamsat:canary@");
    let arguments = ["-v", "error", "-rtsp_transport", "tcp", "-i", &login, "-frames:v", "5", "-f", "null", "-"];
    let played = tokio::process::Command::new("/usr/bin/ffmpeg").args(arguments).output().await.expect("it runs");
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    drop(camera);
}
