//! Tells the host the hashes of the sources of the plugins beside which it is built.

fn main() {
    molarena_identity::declare_plugins();
}
