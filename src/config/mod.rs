//! (being written)
mod plan;
pub use plan::Plan;
/// x
pub struct Problems;
impl Problems {
    /// x
    pub fn render(&self, _c: bool) -> String {
        String::new()
    }
}
/// x
pub fn load(_: &std::path::Path) -> Result<Plan, Problems> {
    Err(Problems)
}
