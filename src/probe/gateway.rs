//! The router through which this machine reaches everything else.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
};

/// The gateway of the default route, of IPv4.
pub fn default_gateway() -> Option<IpAddr> {
    parsed(&fs::read_to_string("/proc/net/route").ok()?)
}

/// Destinations and gateways stand there as hexadecimal numbers of the machine's own byte order.
fn parsed(routes: &str) -> Option<IpAddr> {
    routes.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok().filter(|gateway| *gateway != 0)?;
        (destination == "00000000").then(|| Ipv4Addr::from(gateway.to_ne_bytes()).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_read_as_the_kernel_writes_it() {
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                  eth0\t0000FEA9\t00000000\t0001\t0\t0\t1000\t0000FFFF\n\
                  eth0\t00000000\t0100140A\t0003\t0\t0\t100\t00000000\n";
        assert!(cfg!(target_endian = "big") || parsed(routes) == Some([10, 20, 0, 1].into()));
        assert_eq!(parsed("Iface\tDestination\tGateway\n"), None);
        assert_eq!(parsed("nothing of the kind"), None);
    }
}
