package main

import (
	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/worker"
)

// newWorker is what the server starts itself as, for an application that is to
// run in a process of its own.
func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:    "worker NAME",
		Short:  "Run the guests of one application; started by wasgi serve",
		Hidden: true,
		Args:   usage(cobra.ExactArgs(1)),
		RunE: func(*cobra.Command, []string) error {
			guest, err := loadGuest()
			if err != nil {
				return err
			}
			return worker.Main(worker.Guest{Module: guest.Module, RootFS: guest.RootFS})
		},
	}
}
