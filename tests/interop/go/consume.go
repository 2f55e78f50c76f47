package main

import (
	"context"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

const settleTime = 5 * time.Second

// consume receives messages with a push consumer until it is stopped, then leaves the group with its offsets stored.
// A group without offsets starts at the first message; with orderly, each queue is consumed in order. Events: "ready" once started, then "message" for each.
func consume(asked request, out events, stop <-chan struct{}) error {
	model := consumer.Clustering
	if asked.Broadcasting {
		model = consumer.BroadCasting
	}
	client, err := rocketmq.NewPushConsumer(
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{asked.NameServer})),
		consumer.WithGroupName(asked.Group),
		consumer.WithInstance(instanceName()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumerModel(model),
		consumer.WithConsumerOrder(asked.Orderly),
	)
	if err != nil {
		return err
	}
	expression := asked.Expression
	if expression == "" {
		expression = "*"
	}
	listen := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			out.emit("message", received(message))
		}
		return consumer.ConsumeSuccess, nil
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: expression}
	if err := client.Subscribe(asked.Topic, selector, listen); err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	out.emit("ready", nil)
	<-stop
	settle(client, asked.Topic)
	return client.Shutdown()
}

// settle waits until the offsets have moved past what was received: they do shortly after the callback has returned.
func settle(client rocketmq.PushConsumer, topic string) {
	deadline := time.Now().Add(settleTime)
	for client.GetOffsetDiffMap()[topic] != 0 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
}

func received(message *primitive.MessageExt) members {
	return members{
		"topic":          message.Topic,
		"broker":         message.Queue.BrokerName,
		"queueId":        message.Queue.QueueId,
		"queueOffset":    message.QueueOffset,
		"msgId":          message.MsgId,
		"offsetMsgId":    message.OffsetMsgId,
		"tag":            textOrNothing(message.GetTags()),
		"keys":           textOrNothing(message.GetKeys()),
		"properties":     message.GetProperties(),
		"reconsumeTimes": message.ReconsumeTimes,
		"bornTimestamp":  message.BornTimestamp,
		"storeTimestamp": message.StoreTimestamp,
		"body":           message.Body,
	}
}
