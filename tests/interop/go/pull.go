package main

import (
	"context"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
)

const pollTime = 100 * time.Millisecond

// pull receives messages with a pull consumer until it is stopped, then leaves the group with its offsets stored.
// Request and events are those of consume; what fails comes again when the broker thinks fit.
func pull(asked request, out events, stop <-chan struct{}) error {
	client, err := rocketmq.NewPullConsumer(options(asked)...)
	if err != nil {
		return err
	}
	if err := client.Subscribe(asked.Topic, wanted(asked)); err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	out.emit("ready", nil)
	for {
		select {
		case <-stop:
			return client.Shutdown()
		default:
		}
		polled, err := client.Poll(context.Background(), pollTime)
		if consumer.IsNoNewMsgError(err) {
			continue
		}
		if err != nil {
			return err
		}
		result := consumer.ConsumeSuccess
		for _, message := range polled.GetMsgList() {
			out.emit("message", received(message))
			if message.ReconsumeTimes < asked.Failures {
				result = consumer.ConsumeRetryLater
			}
		}
		client.ACK(context.Background(), polled, result)
	}
}
