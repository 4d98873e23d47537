// Package store is where the host keeps its state: small values under keys
// with slashes, behind one interface. The embedded backend is host/store/bolt;
// one that many machines share can take its place, because the interface has
// what such engines offer and nothing else: every change says which revision it
// replaces, changes can be watched, and a lease says who may do something that
// only one may do.
//
// What a backend must do is not only said here but tested by
// host/store/storetest, which every backend runs.
//
// It must never hold what is large: releases, data and logs are files.
package store
