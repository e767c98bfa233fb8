//! Passes on whoever comes for a commune that another machine watches, so that one address finds each commune wherever it is.
//!
//! Bytes are passed on as they are: pages, metrics and agents stay encrypted from end to end. What comes from another member is not
//! passed on again, so that two that disagree for a moment do not send somebody round in a circle.

use crate::model::CommuneId;
use socket2::{SockRef, TcpKeepalive};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

/// Visitors of one commune who are passed on at once.
const VISITORS: usize = 512;
/// How long the other machine may take to answer.
const CONNECTS: Duration = Duration::from_secs(3);
/// How soon a port that is held is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// A connection over which nothing goes is asked for after so long, so that none stays whose other end is gone.
const QUIET: Duration = Duration::from_secs(60);

/// Where visitors of a commune go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Where they come in.
    pub(super) listen: SocketAddr,
    /// Who watches it.
    pub(super) to: SocketAddr,
}

/// All ways that this machine keeps open.
pub(super) struct Forwards {
    address: IpAddr,
    others: watch::Sender<BTreeSet<IpAddr>>,
    open: BTreeMap<CommuneId, (watch::Sender<Way>, AbortHandle)>,
    tasks: JoinSet<()>,
}

impl Forwards {
    /// What is passed on leaves from this machine's own address, by which the others know it.
    pub(super) fn new(address: IpAddr) -> Self {
        Self { address, others: watch::Sender::default(), open: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Addresses of the other members, as they are known.
    pub(super) fn others(&self) -> watch::Receiver<BTreeSet<IpAddr>> {
        self.others.subscribe()
    }

    /// Keeps these ways open, and no others; `others` are the addresses of the other members.
    pub(super) fn follow(&mut self, mut ways: BTreeMap<CommuneId, Way>, others: BTreeSet<IpAddr>) {
        self.others.send_if_modified(|known| {
            let differs = *known != others;
            *known = others;
            differs
        });
        self.open.retain(|commune, (known, task)| {
            let stays = ways.remove(commune).filter(|wanted| wanted.listen == known.borrow().listen);
            match stays {
                Some(wanted) => {
                    known.send_if_modified(|known| std::mem::replace(known, wanted.clone()) != wanted);
                    true
                }
                None => {
                    task.abort();
                    false
                }
            }
        });
        while self.tasks.try_join_next().is_some() {}
        for (commune, way) in ways {
            let (wanted, known) = watch::channel(way);
            let task = self.tasks.spawn(serve(known, self.others.subscribe(), self.address));
            self.open.insert(commune, (wanted, task));
        }
    }
}

/// Takes in visitors until it is aborted; those that are under way end with it.
async fn serve(way: watch::Receiver<Way>, others: watch::Receiver<BTreeSet<IpAddr>>, own: IpAddr) {
    let listen = way.borrow().listen;
    let listener = loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => break listener,
            // A daemon that is about to end holds it yet.
            Err(_) => sleep(AGAIN).await,
        }
    };
    let (seats, mut visitors) = (Arc::new(Semaphore::new(VISITORS)), JoinSet::new());
    loop {
        let Ok(seat) = seats.clone().acquire_owned().await else { return };
        let Ok((near, from)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        while visitors.try_join_next().is_some() {}
        if others.borrow().contains(&from.ip().to_canonical()) {
            continue;
        }
        let to = way.borrow().to;
        visitors.spawn(async move {
            let _seat = seat;
            pass(near, to, own).await;
        });
    }
}

/// Passes on what goes to and fro until one of both ends it.
async fn pass(mut near: TcpStream, to: SocketAddr, own: IpAddr) {
    let connecting = async {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(own, 0))?;
        socket.connect(to).await
    };
    // Whoever finds nobody tries again.
    let Ok(Ok(mut far)) = timeout(CONNECTS, connecting).await else { return };
    for end in [&near, &far] {
        let _ = end.set_nodelay(true);
        let _ = SockRef::from(end).set_tcp_keepalive(&TcpKeepalive::new().with_time(QUIET));
    }
    let _ = copy_bidirectional(&mut near, &mut far).await;
}
