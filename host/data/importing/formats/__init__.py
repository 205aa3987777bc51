"""The layouts that are read: each module turns one of them into `FoundData`."""
