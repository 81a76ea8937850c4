extension Library {
    /// The functions that take functions: in the language, so that what they call may wait.
    static let definitions = #"""
        ;; The results of calling f with each item. Takes function and collection in either order; of several collections, with an item of each.
        ;; > (map #(* # 2) [1 2 3]) => [2 4 6]
        ;; > (map + [1 2] [10 20]) => [11 22]
        (def map (f xs ...more)
          (if more (%map (fn (items) (apply f items)) (apply zip xs more))
              (function? f) (%map f xs)
              (%map xs f)))

        (def %map (f xs)
          (let (items (%items xs) n (count items) out [])
            (loop (i 0)
              (if (< i n) (do (set (get out i) (f (get items i))) (recur (+ i 1))) out))))

        ;; The items for which f is true. Takes function and collection in either order; an object gives an object.
        ;; > (filter even? [1 2 3 4]) => [2 4]
        (def filter (f xs)
          (if (function? f) (%filter f xs) (%filter xs f)))

        (def %filter (f xs)
          (let (items (%items xs) n (count items) out [])
            (loop (i 0 j 0)
              (if (< i n)
                  (let (item (get items i))
                    (if (f item) (do (set (get out j) item) (recur (+ i 1) (+ j 1))) (recur (+ i 1) j)))
                  (if (object? xs) (object-from out) out)))))

        ;; Folds a collection from the left: (f … (f (f start x0) x1) …). Without a start, from its first item.
        ;; > (reduce + 0 [1 2 3]) => 6
        (def reduce (f start ...rest)
          (if rest (%reduce f start (%items (get rest 0)))
              (let (items (%items start))
                (if (empty? items) (f) (%reduce f (get items 0) (drop 1 items))))))

        (def %reduce (f start items)
          (let (n (count items))
            (loop (i 0 value start)
              (if (< i n) (recur (+ i 1) (f value (get items i))) value))))

        (def %each (f xs)
          (if (function? f) (do (%map f xs) null) (do (%map xs f) null)))

        (def %run-all (steps)
          (let (n (count steps))
            (loop (i 0 value null)
              (if (< i n) (recur (+ i 1) ((get steps i))) value))))

        (def %evaluate-result (f arguments)
          (eval (apply f arguments)))
        """#
}
