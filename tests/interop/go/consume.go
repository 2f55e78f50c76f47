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
// A group without offsets starts at the first message; with orderly, each queue is consumed in order. With failures it fails
// so many attempts at each message, as Consume.java says. Events: "ready" once started, then "message" for each.
func consume(asked request, out events, stop <-chan struct{}) error {
	client, err := rocketmq.NewPushConsumer(options(asked)...)
	if err != nil {
		return err
	}
	listen := func(context context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		result := consumer.ConsumeSuccess
		for _, message := range messages {
			out.emit("message", received(message))
			if message.ReconsumeTimes < asked.Failures {
				result = consumer.ConsumeRetryLater
			}
		}
		if concurrently, known := primitive.GetConcurrentlyCtx(context); known {
			concurrently.DelayLevelWhenNextConsume = asked.DelayLevel
		}
		return result, nil
	}
	if err := client.Subscribe(asked.Topic, wanted(asked), listen); err != nil {
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

// options are what a request says of a consumer of either kind.
func options(asked request) []consumer.Option {
	model := consumer.Clustering
	if asked.Broadcasting {
		model = consumer.BroadCasting
	}
	chosen := []consumer.Option{
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{asked.NameServer})),
		consumer.WithGroupName(asked.Group),
		consumer.WithInstance(instanceName()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumerModel(model),
		consumer.WithConsumerOrder(asked.Orderly),
	}
	if asked.MaxAttempts > 0 {
		chosen = append(chosen, consumer.WithMaxReconsumeTimes(asked.MaxAttempts))
	}
	return chosen
}

// wanted is by a condition, if there is one, or by tags.
func wanted(asked request) consumer.MessageSelector {
	if asked.Condition != "" {
		return consumer.MessageSelector{Type: consumer.SQL92, Expression: asked.Condition}
	}
	expression := asked.Expression
	if expression == "" {
		expression = "*"
	}
	return consumer.MessageSelector{Type: consumer.TAG, Expression: expression}
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
