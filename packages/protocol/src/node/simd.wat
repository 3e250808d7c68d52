;; Masking and a look for bytes that are not ASCII, 16 bytes at a time. `simd.ts` holds this module as bytes; a test
;; assembles it again. Memory: five pages of receive window, one of scratch; it never grows, so that views of it stay valid.
(module
  (memory (export "memory") 6 6)

  ;; XORs [at, end) with the key, whose octets are in the order of memory, the lowest first (RFC 6455 §5.3).
  (func (export "mask") (param $at i32) (param $end i32) (param $key i32)
    (local $keys v128)
    (local.set $keys (i32x4.splat (local.get $key)))
    (block $tail
      (loop $wide
        (br_if $tail (i32.gt_u (i32.add (local.get $at) (i32.const 16)) (local.get $end)))
        (v128.store (local.get $at) (v128.xor (v128.load (local.get $at)) (local.get $keys)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $wide)))
    (block $done
      (loop $narrow
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (local.get $at) (i32.xor (i32.load8_u (local.get $at)) (local.get $key)))
        (local.set $key (i32.rotr (local.get $key) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $narrow))))

  ;; Whether no byte of [at, end) has its top bit set.
  (func (export "isAscii") (param $at i32) (param $end i32) (result i32)
    (local $seen v128)
    (local $rest i32)
    (block $tail
      (loop $wide
        (br_if $tail (i32.gt_u (i32.add (local.get $at) (i32.const 16)) (local.get $end)))
        (local.set $seen (v128.or (local.get $seen) (v128.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $wide)))
    (block $done
      (loop $narrow
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $rest (i32.or (local.get $rest) (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $narrow)))
    (i32.eqz (i32.or (i8x16.bitmask (local.get $seen)) (i32.and (local.get $rest) (i32.const 128))))))
