//! What a source says of cameras: what of it is taken in, and why not the rest.

use crate::model::{CameraId, Claim, Content, Fleet, LinkId, Observer, Sighting, closed};
use std::time::Duration;

/// What is older says nothing of the present, and is not taken.
const FRESH: Duration = Duration::from_secs(60);

/// One thing that a source says of one camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceClaim {
    /// Which camera.
    pub camera: CameraId,
    /// What.
    pub claim: Claim,
    /// How long ago that was so.
    pub age: Duration,
}

closed! {
    /// Why something that a source says is not taken.
    pub enum Untaken {
        /// No camera of this id hangs on this source.
        NotTheirs "not_theirs",
        /// It is of a minute ago, or of longer.
        TooOld "too_old",
        /// The camera is believed by a stronger proof alone.
        TooWeak "too_weak",
        /// Neither a counter nor whether it works is said, or both.
        Unclear "unclear",
    }
}

/// What a source says, sorted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims {
    /// What is taken in. What is too weak a proof is among it, since it is shown.
    pub taken: Vec<Sighting>,
    /// What nothing follows from, and why.
    pub untaken: Vec<(CameraId, Untaken)>,
}

/// Sorts what a source says. It speaks of the cameras that hang on it alone.
pub fn claims((source, fleet): (&LinkId, &Fleet), said: Vec<SourceClaim>) -> Claims {
    let mut claims = Claims::default();
    let by = Observer::Source(source.clone());
    for SourceClaim { camera, claim, age } in said {
        let Some(plan) = fleet.cameras.get(&camera).filter(|plan| fleet.observer_of(plan) == by) else {
            claims.untaken.push((camera, Untaken::NotTheirs));
            continue;
        };
        if age > FRESH {
            claims.untaken.push((camera, Untaken::TooOld));
            continue;
        }
        let content = Content::Claim(claim);
        let sighting = Sighting { camera, by: by.clone(), age, error: Duration::ZERO, content };
        if sighting.strength() > plan.proof {
            claims.untaken.push((plan.id.clone(), Untaken::TooWeak));
        }
        claims.taken.push(sighting);
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Camera, Commune, DailyHours, Language, Link, LinkKind, Strength, one_name};
    use std::sync::Arc;

    #[test]
    fn a_source_speaks_of_its_own_cameras_as_strongly_as_they_are_believed() {
        one_name::<Untaken>();
        one_name::<Strength>();
        let (name, timezone) = ("Hải Bình".to_owned(), jiff::tz::TimeZone::UTC);
        let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
        let (kind, looks_per_second) = (LinkKind::Source, 1.0);
        let link = |parent: Option<&str>| {
            let parent = parent.map(LinkId::from);
            Link { name: "đám mây".into(), kind, parent, bytes_per_day: None, looks_per_second, probe: None }
        };
        fleet.links.insert("cloud".into(), link(None));
        fleet.links.insert("cloud-2".into(), link(Some("cloud")));
        let proofs = [("counted", Some("cloud"), Strength::Counter), ("said", Some("cloud"), Strength::Word)];
        for (id, link, proof) in
            proofs.into_iter().chain([("nearer", Some("cloud-2"), Strength::Word), ("own", None, Strength::Media)])
        {
            let rtsp = format!("rtsp://told.invalid/{id}").parse().expect("a URL");
            let camera = Camera { link: link.map(LinkId::from), proof, ..Camera::new(id, rtsp) };
            fleet.cameras.insert(id.into(), Arc::new(camera));
        }
        let said =
            |camera: &str, claim, age| SourceClaim { camera: camera.into(), claim, age: Duration::from_secs(age) };
        let all = vec![
            said("counted", Claim::Counter(1), 60),
            said("counted", Claim::Works(true), 0),
            said("said", Claim::Works(false), 0),
            said("said", Claim::Counter(7), 61),
            said("nearer", Claim::Works(true), 0),
            said("own", Claim::Works(true), 0),
            said("nobody", Claim::Works(true), 0),
        ];
        let sorted = claims((&"cloud".into(), &fleet), all);
        let taken: Vec<_> = sorted.taken.iter().map(|taken| (taken.camera.as_str(), taken.strength())).collect();
        assert_eq!(taken, [("counted", Strength::Counter), ("counted", Strength::Word), ("said", Strength::Word)]);
        let untaken: Vec<_> = sorted.untaken.iter().map(|(camera, why)| (camera.as_str(), *why)).collect();
        let wanted = [
            ("counted", Untaken::TooWeak),
            ("said", Untaken::TooOld),
            ("nearer", Untaken::NotTheirs),
            ("own", Untaken::NotTheirs),
            ("nobody", Untaken::NotTheirs),
        ];
        assert_eq!(untaken, wanted);
    }
}
