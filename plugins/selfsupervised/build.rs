//! Tells the plugin the hash of its sources.

fn main() {
    molarena_identity::declare();
}
