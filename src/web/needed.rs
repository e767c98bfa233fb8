//! What each address asks of whoever visits it. An address that does not stand here is nobody's.

use crate::rights::Right;
use axum::http::Method;

/// What a visit needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// Nothing: it tells nothing of the commune, or asks by itself.
    Nothing,
    /// That they are known.
    Known,
    /// That they may do this; who is bound to areas sees and changes what lies in them.
    Right(Right),
    /// That they may do this, and are bound to no areas.
    Whole(Right),
}

/// All addresses, as they are written where they are served.
pub(super) const ALL: &[(&str, &str, Needed)] = {
    use Needed::{Known, Nothing, Whole};
    use Right::{
        Accounts, Audit, Consent, Contacts, Maintenance, Metrics, Names, Notes, Owners, Reload, Respond, Roster, See,
        SeeDevices, SeeReports, SeeSettings, SeeTold, Silence, StandIns, TakeOn,
    };
    const fn right(right: Right) -> Needed {
        Needed::Right(right)
    }
    &[
        ("GET", "/", right(See)),
        ("GET", "/events", right(See)),
        ("GET", "/areas/{id}", right(See)),
        ("GET", "/map", right(See)),
        ("GET", "/sites", right(See)),
        ("GET", "/sites/{id}", right(See)),
        ("GET", "/links", right(See)),
        ("GET", "/links/{id}", right(See)),
        ("GET", "/incidents", right(See)),
        ("GET", "/incidents/{id}", right(See)),
        ("GET", "/incidents/{id}/file", right(See)),
        ("POST", "/incidents/{id}/ack", right(TakeOn)),
        ("POST", "/incidents/{id}/respond", right(Respond)),
        ("GET", "/contract", right(See)),
        ("POST", "/incidents/{id}/silence", right(Silence)),
        ("POST", "/sites/{id}/drill", right(Silence)),
        ("GET", "/cameras", right(See)),
        ("GET", "/cameras/{id}", right(SeeDevices)),
        ("GET", "/reports", right(SeeReports)),
        ("GET", "/reports/{month}", right(SeeReports)),
        ("GET", "/reports/{month}/{table}", right(SeeReports)),
        ("GET", "/metrics", right(Metrics)),
        ("POST", "/-/reload", right(Reload)),
        ("GET", "/accounts", right(Accounts)),
        ("POST", "/accounts", right(Accounts)),
        ("POST", "/accounts/{name}", right(Accounts)),
        ("POST", "/passes", right(Accounts)),
        ("POST", "/passes/{id}/end", right(Accounts)),
        ("GET", "/audit", right(Audit)),
        ("GET", "/owners", right(Owners)),
        ("POST", "/owners", right(Owners)),
        ("POST", "/api/v1/owner-readings", right(Owners)),
        ("GET", "/settings", right(SeeSettings)),
        ("GET", "/settings/roster", Whole(SeeSettings)),
        ("POST", "/settings/roster", right(Roster)),
        ("GET", "/settings/stand-ins", Whole(SeeSettings)),
        ("POST", "/settings/stand-ins", right(StandIns)),
        ("GET", "/roster", Whole(SeeSettings)),
        ("POST", "/roster/swap", right(StandIns)),
        ("GET", "/settings/people", right(Contacts)),
        ("POST", "/settings/people", right(Contacts)),
        ("GET", "/settings/consent", right(Consent)),
        ("POST", "/settings/consent", right(Consent)),
        ("GET", "/settings/maintenance", right(SeeSettings)),
        ("POST", "/settings/maintenance", right(Maintenance)),
        ("POST", "/settings/silences", right(Silence)),
        ("POST", "/settings/silences/{id}/end", right(Silence)),
        ("GET", "/settings/sites", right(SeeSettings)),
        ("POST", "/settings/sites", right(Names)),
        ("GET", "/settings/cameras", right(SeeSettings)),
        ("POST", "/settings/cameras", right(Notes)),
        ("POST", "/sign-out", Known),
        ("GET", "/second-step", Known),
        ("POST", "/second-step", Known),
        ("GET", "/passkeys", Known),
        ("POST", "/passkeys/begin", Known),
        ("POST", "/passkeys/confirm", Known),
        ("POST", "/passkeys/drop", Known),
        ("GET", "/api/v1/status", right(See)),
        ("GET", "/api/v1/channels", Whole(See)),
        ("GET", "/api/v1/cameras", right(See)),
        ("GET", "/api/v1/cameras/{id}", right(SeeDevices)),
        ("GET", "/api/v1/http_sd", right(SeeDevices)),
        ("GET", "/api/v1/sites", right(See)),
        ("GET", "/api/v1/sites/{id}", right(See)),
        ("GET", "/api/v1/links", right(See)),
        ("GET", "/api/v1/agents", Whole(SeeDevices)),
        ("GET", "/api/v1/areas", right(See)),
        ("GET", "/api/v1/areas/{id}/strip", Whole(See)),
        ("GET", "/api/v1/sites/{id}/strip", right(See)),
        ("GET", "/api/v1/links/{id}/strip", right(See)),
        ("GET", "/api/v1/strip", Whole(See)),
        ("GET", "/api/v1/cameras/{id}/strip", right(SeeDevices)),
        ("GET", "/api/v1/incidents", right(See)),
        ("GET", "/api/v1/incidents/{id}", right(See)),
        ("GET", "/api/v1/incidents/{id}/timeline", right(SeeTold)),
        ("POST", "/api/v1/incidents/{id}/ack", right(TakeOn)),
        ("POST", "/api/v1/incidents/{id}/respond", right(Respond)),
        ("GET", "/api/v1/contract", right(See)),
        ("POST", "/api/v1/drills", right(Silence)),
        ("GET", "/api/v1/silences", right(See)),
        ("POST", "/api/v1/silences", right(Silence)),
        ("DELETE", "/api/v1/silences/{id}", right(Silence)),
        ("GET", "/api/v1/reports/{month}", right(SeeReports)),
        ("GET", "/api/v1/accounts", right(Accounts)),
        ("POST", "/api/v1/accounts", right(Accounts)),
        ("POST", "/api/v1/accounts/{name}", right(Accounts)),
        ("GET", "/api/v1/passes", right(Accounts)),
        ("POST", "/api/v1/passes", right(Accounts)),
        ("DELETE", "/api/v1/passes/{id}", right(Accounts)),
        ("GET", "/api/v1/audit", right(Audit)),
        ("GET", "/api/v1/settings/{kind}", right(SeeSettings)),
        ("POST", "/api/v1/settings/{kind}", right(SeeSettings)),
        // What follows tells nothing of the commune, or looks at a secret of its own.
        ("GET", "/api/v1/openapi.json", Nothing),
        ("GET", "/ack/{incident}/{person}/{signature}", Nothing),
        ("POST", "/ack/{incident}/{person}/{signature}", Nothing),
        ("GET", "/sign-in", Nothing),
        ("POST", "/sign-in", Nothing),
        ("POST", "/sign-in/code", Nothing),
        ("POST", "/api/v1/claims", Nothing),
        ("POST", "/agent/join", Nothing),
        ("POST", "/agent/exchange", Nothing),
        ("POST", "/sign-in/passkey/begin", Nothing),
        ("POST", "/sign-in/passkey", Nothing),
        ("GET", "/sign-in/openid", Nothing),
        ("GET", "/sign-in/openid/back", Nothing),
        ("GET", "/join/{secret}", Nothing),
        ("POST", "/join/{secret}", Nothing),
        ("GET", "/screen/{secret}", Nothing),
        ("GET", "/calendar/{secret}", Nothing),
        ("GET", "/-/healthy", Nothing),
        ("GET", "/-/ready", Nothing),
        ("GET", "/static/wall.css", Nothing),
        ("GET", "/static/report.css", Nothing),
        ("GET", "/static/passkey.js", Nothing),
        ("GET", "/static/wall.js", Nothing),
    ]
};

/// What a visit of an address needs; `None` where nobody has said so.
pub(super) fn needed(method: &Method, route: &str) -> Option<Needed> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    ALL.iter().find(|(by, at, _)| method.as_str() == *by && route == *at).map(|(.., needed)| *needed)
}
