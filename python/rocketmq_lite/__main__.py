"""`python -m rocketmq_lite` is `rmq`."""

from rocketmq_lite.cli.app import main

if __name__ == "__main__":
    main()
