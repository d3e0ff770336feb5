//! r3e-fake-nsm
