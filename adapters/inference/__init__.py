"""What makes inference faster without changing it: folded weights and packed linear layers."""
