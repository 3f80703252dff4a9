"""Where results live: one file a store, all behind contract.store.Store."""
