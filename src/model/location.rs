//! Where a site lies on Earth.

use std::str::FromStr;

/// A place on Earth, in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

impl FromStr for Location {
    type Err = ();

    /// Reads `19.40112, 105.81207`, as maps show it.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (latitude, longitude) = text.split_once(',').ok_or(())?;
        let degrees = |text: &str, limit: f64| {
            let degrees: f64 = text.trim().parse().map_err(|_| ())?;
            if degrees.abs() <= limit { Ok(degrees) } else { Err(()) }
        };
        Ok(Self { latitude: degrees(latitude, 90.0)?, longitude: degrees(longitude, 180.0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_maps_show_it_and_stays_on_earth() {
        assert_eq!("19.40112, 105.81207".parse(), Ok(Location { latitude: 19.40112, longitude: 105.81207 }));
        for wrong in ["19.4", "19.4;105.8", "91, 0", "0, 180.1", "NaN, 0", "19,4, 105,8"] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }
}
