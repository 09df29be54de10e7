// RUN: mlc-opt %s -p 'grad{entry=labels value=false},canonicalize,dce' | FileCheck %s --check-prefix=LABELS
// RUN: mlc-opt %s -p 'grad{entry=weights wrt=0 value=false},canonicalize,dce' | FileCheck %s --check-prefix=WEIGHTS

// The gradient of softmax cross-entropy, for integer labels (in range: one_hot's contract).
// LABELS-LABEL: func.func @labels_grad
// LABELS-NEXT:    nd.one_hot
// LABELS-NEXT:    nd.softmax
// LABELS-NEXT:    nd.sub
// LABELS-NEXT:    func.return
func.func @labels(%x: tensor<?x7xf32, #nd.sym<b>>, %i: tensor<?xi64, #nd.sym<b>>) -> tensor<f32> {
  %0 = nd.one_hot %i : tensor<?xi64, #nd.sym<b>> -> tensor<?x7xf32, #nd.sym<b>>
  %1 = nd.cross_entropy %x, %0 : (tensor<?x7xf32, #nd.sym<b>>, tensor<?x7xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<b>>
  %2 = nd.reduce sum %1 "a -> " : (tensor<?xf32, #nd.sym<b>>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// For any targets: softmax(x) * sum(t) - t.
// WEIGHTS-LABEL: func.func @weights_grad
// WEIGHTS-DAG:     %[[S:.*]] = nd.softmax %x
// WEIGHTS-DAG:     %[[T:.*]] = nd.reduce sum %t "a b -> a"
// WEIGHTS:         %[[B:.*]] = nd.broadcast %[[T]] "a -> a b"
// WEIGHTS-NEXT:    %[[P:.*]] = nd.mul %[[B]], %[[S]]
// WEIGHTS-NEXT:    %[[G:.*]] = nd.sub %[[P]], %t
// WEIGHTS-NEXT:    func.return %[[G]]
func.func @weights(%x: tensor<?x7xf32, #nd.sym<b>>, %t: tensor<?x7xf32, #nd.sym<b>>) -> tensor<f32> {
  %1 = nd.cross_entropy %x, %t : (tensor<?x7xf32, #nd.sym<b>>, tensor<?x7xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<b>>
  %2 = nd.reduce sum %1 "a -> " : (tensor<?xf32, #nd.sym<b>>) -> tensor<f32>
  func.return %2 : tensor<f32>
}
