//! Where load goes: addresses, fred connections, private servers.
