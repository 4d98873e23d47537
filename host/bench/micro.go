package main

import "context"

func measureMicro(context.Context, options) ([]result, error) { return nil, nil }
