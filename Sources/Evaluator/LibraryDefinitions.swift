extension Library {
    /// The functions that take functions: in the language, so that what they call may wait.
    ///
    /// Names of other library functions mean the library's own, whatever a program has defined since. So a function here
    /// calls only such as do not call it.
    static let definitions = #"""
        (def %ordered (run f xs)
          (if (function? f) (run f xs)
              (function? xs) (run xs f)
              (keyword? f) (run (fn (x) (get x f)) xs)
              (keyword? xs) (run (fn (x) (get x xs)) f)
              (run f xs)))

        (def %all-items (object limit)
          (let (out (%builder 0))
            (loop (source object left limit)
              (let (chunk (%chunk source left) items (get chunk 0) rest (get chunk 1))
                (%add-all out items)
                (if (and rest (> left (count items)))
                    (recur rest (- left (count items)))
                    (%built-of out object))))))

        (def %after (fetching again)
          (do (fetching) (again)))

        (def %with-items (f arguments index limit)
          (apply f (assoc arguments index (%all-items (get arguments index) limit))))

        (def %with-copy (f arguments index)
          (apply f (assoc arguments index (%copy (get arguments index)))))

        (def %get-each (value keys)
          (let (n (count keys))
            (loop (i 0 value value)
              (if (< i n) (recur (+ i 1) (get value (get keys i))) value))))

        (def %differ (a b) (not (= a b)))

        (def %equal (...values)
          (let (n (- (count values) 1))
            (loop (i 0)
              (if (< i n) (if (= (get values i) (get values (+ i 1))) (recur (+ i 1)) false) true))))

        (def %map (f xs)
          (let (out (%builder 0))
            (loop (chunk (%chunk xs))
              (let (items (%items (get chunk 0)) n (count items) rest (get chunk 1))
                (loop (i 0)
                  (if (< i n) (do (%add out (f (get items i))) (recur (+ i 1))) null))
                (if (null? rest) (%built out) (recur (%chunk rest)))))))

        ;; The results of calling f with each item. Takes function and collection in either order; a keyword stands for what reads that key; of several collections, with an item of each.
        ;; > (map #(* # 2) [1 2 3]) => [2 4 6]
        ;; > (map + [1 2] [10 20]) => [11 22]
        ;; > (map :a [{a: 1} {a: 2}]) => [1 2]
        (def map (f xs ...more)
          (if (empty? more) (%ordered %map f xs)
              (%map (fn (row) (apply f row)) (apply zip xs more))))

        (def %filter (f xs)
          (let (items (%items xs) chosen (%select (%map f items) items))
            (if (object? xs) (object-from chosen) chosen)))

        ;; The items for which f is true. Takes function and collection in either order; an object gives an object.
        ;; > (filter even? [1 2 3 4]) => [2 4]
        (def filter (f xs) (%ordered %filter f xs))

        ;; The items for which f is false. Takes function and collection in either order; an object gives an object.
        ;; > (remove even? [1 2 3 4]) => [1 3]
        (def remove (f xs)
          (%ordered (fn (g items) (%filter (fn (x) (not (g x))) items)) f xs))

        (def %reduce (f start xs)
          (loop (chunk (%chunk xs) value start)
            (let (items (%items (get chunk 0)) n (count items) rest (get chunk 1)
                  folded (loop (i 0 value value)
                           (if (< i n) (recur (+ i 1) (f value (get items i))) value)))
              (if (null? rest) folded (recur (%chunk rest) folded)))))

        ;; Folds a collection from the left: (f … (f (f start x0) x1) …). Without a start, from its first item.
        ;; > (reduce + 0 [1 2 3]) => 6
        ;; > (reduce max [3 9 2]) => 9
        (def reduce (f start ...more)
          (if (empty? more)
              (let (items (%items start))
                (if (empty? items) (f) (%reduce f (get items 0) (drop 1 items))))
              (%reduce f start (get more 0))))

        (def %seek (f xs)
          (loop (chunk (%chunk xs) before 0)
            (let (items (%items (get chunk 0)) n (count items) rest (get chunk 1)
                  place (loop (i 0) (if (< i n) (if (f (get items i)) i (recur (+ i 1))) null)))
              (if (not (null? place)) [(+ before place) (get items place)]
                  (null? rest) null
                  (recur (%chunk rest) (+ before n))))))

        ;; The first item for which f is true; null when there is none.
        ;; > (find even? [1 4 6]) => 4
        (def find (f xs)
          (%ordered (fn (g items) (get (%seek g items) 1)) f xs))

        ;; The place of the first item for which f is true; null when there is none.
        ;; > (find-index even? [1 4 6]) => 1
        (def find-index (f xs)
          (%ordered (fn (g items) (get (%seek g items) 0)) f xs))

        ;; Whether f is true for an item.
        ;; > (any? even? [1 4]) => true
        (def any? (f xs)
          (%ordered (fn (g items) (not (null? (%seek g items)))) f xs))

        ;; Whether f is true for every item.
        ;; > (every? even? [2 4]) => true
        (def every? (f xs)
          (%ordered (fn (g items) (null? (%seek (fn (x) (not (g x))) items))) f xs))

        (def %take-while (f xs)
          (let (out (%builder 0))
            (loop (chunk (%chunk xs))
              (let (items (%items (get chunk 0)) n (count items) rest (get chunk 1)
                    all? (loop (i 0)
                           (if (< i n)
                               (if (f (get items i)) (do (%add out (get items i)) (recur (+ i 1))) false)
                               true)))
                (if (and all? rest) (recur (%chunk rest)) (%built out))))))

        ;; The items before the first for which f is false.
        ;; > (take-while even? [2 4 5 6]) => [2 4]
        (def take-while (f xs) (%ordered %take-while f xs))

        (def %sort-by (f xs)
          (let (items (%items xs)) (%sort-with (%map f items) items)))

        ;; The items in the order of what f gives for each, called once an item; equal ones keep their places. A keyword stands for what reads that key.
        ;; > (sort-by count ["ccc" "a" "bb"]) => ["a" "bb" "ccc"]
        ;; > (sort-by :n [{n: 2} {n: 1}]) => [{n: 1} {n: 2}]
        (def sort-by (f xs) (%ordered %sort-by f xs))

        (def %group-by (f xs)
          (let (items (%items xs)) (%group-with (%map f items) items)))

        ;; An object of vectors: the items by the text of what f gives for each.
        ;; > (group-by count ["a" "bb" "c"]) => {"1": ["a" "c"] "2": ["bb"]}
        (def group-by (f xs) (%ordered %group-by f xs))

        ;; An object of the items by the text of what f gives for each; of equal keys the last item counts.
        ;; > (index-by :id [{id: "x" n: 1}]) => {x: {id: "x" n: 1}}
        (def index-by (f xs)
          (%ordered
            (fn (g all) (let (items (%items all)) (object-from (zip (%map (fn (x) (str (g x))) items) items))))
            f xs))

        ;; The item for which f gives the greatest value, the first of several; null when there is none.
        ;; > (max-by count ["a" "ccc" "bb"]) => "ccc"
        (def max-by (f xs)
          (%ordered (fn (g all) (let (items (%items all)) (%best-with (%map g items) items 1))) f xs))

        ;; The item for which f gives the least value, the first of several; null when there is none.
        ;; > (min-by count ["bb" "a" "c"]) => "a"
        (def min-by (f xs)
          (%ordered (fn (g all) (let (items (%items all)) (%best-with (%map g items) items -1))) f xs))

        ;; The items of the collections that f gives, in one vector.
        ;; > (flat-map #(range #) [1 2 3]) => [0 0 1 0 1 2]
        (def flat-map (f xs)
          (%ordered (fn (g items) (apply concat (%map g items))) f xs))

        ;; The object with each value replaced by what f gives for it.
        ;; > (map-values inc {a: 1 b: 2}) => {a: 2 b: 3}
        (def map-values (f object)
          (%ordered (fn (g o) (object-from (zip (keys o) (%map g (values o))))) f object))

        ;; The collection with what is under the key replaced by what f gives for it, and for further arguments.
        ;; > (update {n: 1} :n + 10) => {n: 11}
        (def update (collection key f ...arguments)
          (assoc collection key (apply f (get collection key) arguments)))

        ;; The collection with what is at the end of the path of keys replaced by what f gives for it.
        ;; > (update-in {a: {n: 1}} [:a :n] inc) => {a: {n: 2}}
        (def update-in (collection path f ...arguments)
          (assoc-in collection path (apply f (apply get collection path) arguments)))

        ;; A function of the arguments that are still missing.
        ;; > ((partial + 1 2) 3) => 6
        (def partial (f ...bound)
          (fn (...others) (apply f (concat bound others))))

        ;; A function that calls the last function, the one before with its result, and so on.
        ;; > ((compose inc abs) -4) => 5
        (def compose (...functions)
          (let (steps (reverse functions) n (count steps))
            (fn (...arguments)
              (if (= n 0) (get arguments 0)
                  (loop (i 1 value (apply (get steps 0) arguments))
                    (if (< i n) (recur (+ i 1) ((get steps i) value)) value))))))

        ;; The value itself.
        ;; > (filter identity [1 null 2]) => [1 2]
        (def identity (value) value)

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
