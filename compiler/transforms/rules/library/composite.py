"""Composites found by their structure, and what becomes stable or cancels when they are."""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import exp, log, log_softmax, maximum, neg, relu, sigmoid, silu, softmax, tanh
from ..define import rule

Sides = tuple[Any, Any]


@rule("simplify", "ieee", where="float(T)", x="... n")
def find_softmax(x: Array) -> Sides:
    """exp(x) / sum(exp(x)) -> softmax(x), which does not overflow"""
    e = exp(x)
    return e / e.sum(-1, keepdims=True), softmax(x)


@rule("simplify", "ieee", where="float(T)", x="... n")
def find_log_softmax(x: Array) -> Sides:
    """x - log(sum(exp(x))) -> log_softmax(x)"""
    return x - log(exp(x).sum(-1, keepdims=True)), log_softmax(x)


@rule("explore", "ieee", where="float(T), at_most(1, n)", x="... n")
def stable_log_sum_exp(x: Array) -> Sides:
    """log(sum(exp(x))) -> m + log(sum(exp(x - m))) where m = max(x), which does not overflow"""
    m = x.max(-1, keepdims=True)
    y = log(exp(x - m).sum(-1)) + x.max(-1)
    return log(exp(x).sum(-1)), y


@rule("explore", "exact", x="...")
def find_relu(x: Array) -> Sides:
    """max(x, 0) -> relu(x)"""
    return maximum(x, 0), relu(x)


@rule("simplify", "ieee", where="float(T)", x="...")
def find_silu(x: Array) -> Sides:
    """x * sigmoid(x) -> silu(x)"""
    return x * sigmoid(x), silu(x)


@rule("simplify", "ieee", where="float(T)", x="...")
def find_sigmoid(x: Array) -> Sides:
    """1 / (1 + exp(-x)) -> sigmoid(x)"""
    return 1.0 / (exp(neg(x)) + 1.0), sigmoid(x)


@rule("explore", "fast", where="float(T)", x="...")
def sigmoid_by_tanh(x: Array) -> Sides:
    """sigmoid(x) -> tanh(x / 2) / 2 + 1/2"""
    return sigmoid(x), tanh(x * 0.5) * 0.5 + 0.5
