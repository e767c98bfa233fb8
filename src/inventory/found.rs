//! What was found on the network against what is known: the same, moved, or new.

/// A camera that the configuration knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCamera {
    /// Its id.
    pub id: String,
    /// Host of its stream's address.
    pub host: String,
    /// Serial number, by the configuration or as it was once seen.
    pub serial: Option<String>,
    /// WS-Discovery endpoint reference.
    pub endpoint: Option<String>,
    /// Hardware address in lower case.
    pub mac: Option<String>,
}

/// A device that answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its address.
    pub host: String,
    /// Serial number, if it told.
    pub serial: Option<String>,
    /// WS-Discovery endpoint reference.
    pub endpoint: Option<String>,
    /// Hardware address in lower case.
    pub mac: Option<String>,
}

/// What a device that was found is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A known camera at its known address.
    Same {
        /// Whose.
        camera: String,
    },
    /// A known camera at another address.
    Moved {
        /// Whose.
        camera: String,
        /// Where the configuration expects it.
        from: String,
        /// By what it was known again.
        by: &'static str,
    },
    /// A known address at which something else answers.
    Replaced {
        /// Whose address it is.
        camera: String,
    },
    /// Nobody knows it.
    New,
}

/// Compares a device with the known cameras. Identity weighs more than an address, which DHCP may have given to
/// another; and a serial number more than an endpoint reference, which some firmwares make up at each start.
pub fn compare(found: &Found, known: &[KnownCamera]) -> Finding {
    let same = |ours: &Option<String>, theirs: &Option<String>| {
        ours.as_deref().zip(theirs.as_deref()).is_some_and(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs))
    };
    let by_serial = known.iter().find(|camera| same(&camera.serial, &found.serial)).map(|camera| (camera, "serial"));
    let by_endpoint = || {
        let camera = known.iter().find(|camera| same(&camera.endpoint, &found.endpoint))?;
        // The same endpoint with another serial number is a firmware that hands out one for all.
        (!differs(camera, found)).then_some((camera, "endpoint"))
    };
    let by_mac = || {
        let camera = known.iter().find(|camera| same(&camera.mac, &found.mac))?;
        Some((camera, "mac"))
    };
    if let Some((camera, by)) = by_serial.or_else(by_endpoint).or_else(by_mac) {
        // A recorder's channels share its identity: at one's address the others are at theirs.
        let all = known.iter().filter(|other| same(&other.serial, &camera.serial) || other.id == camera.id);
        if all.into_iter().any(|other| other.host == found.host) {
            return Finding::Same { camera: camera.id.clone() };
        }
        return Finding::Moved { camera: camera.id.clone(), from: camera.host.clone(), by };
    }
    match known.iter().find(|camera| camera.host == found.host) {
        Some(camera) if differs(camera, found) => Finding::Replaced { camera: camera.id.clone() },
        Some(camera) => Finding::Same { camera: camera.id.clone() },
        None => Finding::New,
    }
}

/// Whether both serial numbers are known and are not the same.
fn differs(camera: &KnownCamera, found: &Found) -> bool {
    camera.serial.as_deref().zip(found.serial.as_deref()).is_some_and(|(ours, theirs)| ours != theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<KnownCamera> {
        let camera = |id: &str, host: &str, serial: &str, endpoint: &str| KnownCamera {
            id: id.into(),
            host: host.into(),
            serial: Some(serial.into()).filter(|serial: &String| !serial.is_empty()),
            endpoint: Some(endpoint.into()).filter(|endpoint: &String| !endpoint.is_empty()),
            mac: None,
        };
        vec![camera("a", "10.0.0.1", "S1", "urn:uuid:1"), camera("b", "10.0.0.2", "", "")]
    }

    #[track_caller]
    fn check(host: &str, serial: &str, endpoint: &str, expected: Finding) {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let found = Found { host: host.into(), serial: some(serial), endpoint: some(endpoint), mac: None };
        assert_eq!(compare(&found, &known()), expected);
    }

    #[test]
    fn identity_weighs_more_than_an_address() {
        let moved = |by| Finding::Moved { camera: "a".into(), from: "10.0.0.1".into(), by };
        check("10.0.0.1", "S1", "", Finding::Same { camera: "a".into() });
        check("10.0.0.9", "s1", "urn:uuid:other", moved("serial"));
        check("10.0.0.9", "", "urn:uuid:1", moved("endpoint"));
        check("10.0.0.9", "S7", "urn:uuid:1", Finding::New);
        check("10.0.0.1", "S2", "", Finding::Replaced { camera: "a".into() });
        check("10.0.0.2", "S3", "", Finding::Same { camera: "b".into() });
        check("10.0.0.3", "S3", "", Finding::New);
    }
}
